import type { SigmoidOperands } from '../generated/kernels.js';
import type { Runtime } from '../runtime.js';
import type { Kernel } from '../wasm/kernel.js';
import { type Call, checkOverlaps, openCall, settle } from './call.js';
import { PLAIN } from './caller.js';
import {
  addressOf,
  type FastArgument,
  hasShape,
  isShortArray,
  operandOf,
  readArgument,
  readResult,
  readSizes,
  resultAddress,
  resultOf,
  takeResult,
  takesFastPath,
} from './fast-path.js';
import { type OptionNames, readOptions } from './options.js';
import type { Operand } from './place.js';
import { checkSize, newLike, wrapResult } from './result.js';
import { elementsAsRows, giveShape } from './rows.js';

interface ElementOptions {
  shape?: unknown;
  out?: unknown;
}

/** The description of an operation such as sigmoid, which computes each element on its own, whatever the shape. */
export interface ElementMap {
  readonly name: string;
  readonly kernel: Kernel<SigmoidOperands>;
  readonly options: OptionNames<ElementOptions>;
}

/** Runs an elementwise operation. */
export function mapElements(operation: ElementMap, x: unknown, options: unknown): unknown {
  const { name } = operation;
  const call = openCall(name);
  const { runtime } = call;
  const from = readArgument(call, 'x', x);
  // Without options none of the caller's code runs.
  if (options === undefined && isShortArray(from)) return mapFast(runtime, operation, from, undefined, undefined);
  const isPolluted = PLAIN.out !== undefined || PLAIN.shape !== undefined;
  const given = readOptions<ElementOptions>(name, options, operation.options, isPolluted);
  const { out } = given;
  const to = readResult(call, from, out, from.half);
  const { shape: sizes } = given;
  const shape = readSizes(call, from, sizes);
  if (
    from.kind === undefined &&
    (shape === undefined || hasShape(from, shape)) &&
    takesFastPath(runtime.arena, from, to, from.size)
  ) {
    return mapFast(runtime, operation, from, out, to);
  }
  const place = resultOf(call, from, out, to, from.half);
  return mapOperand(call, operation, operandOf(call, 'x', x, from), place, shape);
}

/** Runs a call on the fast path. */
function mapFast(
  runtime: Runtime,
  { name, kernel }: ElementMap,
  from: FastArgument,
  out: unknown,
  to: FastArgument | undefined,
): unknown {
  const { arena } = runtime;
  const { elementBytes, size } = from;
  const compute = runtime.kernel(kernel, elementBytes, name);
  const x = addressOf(arena, from, 1);
  compute({ x, y: resultAddress(arena, to), count: size, scratch: arena.kernelScratch });
  return takeResult(arena, from, out, size);
}

/** Runs any other call; the option `shape` is not checked yet. */
function mapOperand(
  call: Call,
  { kernel }: ElementMap,
  input: Operand,
  out: Operand | undefined,
  shape: unknown,
): unknown {
  const { operation, runtime } = call;
  const { elementBytes, length } = input;
  giveShape(operation, input, shape);
  settle(call);
  if (out !== undefined) {
    checkSize(call, out, length);
    checkOverlaps(call, out, input);
  }
  const compute = runtime.kernel(kernel, elementBytes, operation);
  const { run } = runtime;
  run.open(operation, elementsAsRows(length), elementBytes);
  const from = run.input(input);
  const result = out ?? newLike(call, input);
  const to = run.output(result);
  run.start(out === undefined ? result : undefined);
  while (run.next()) compute({ x: run.at(from), y: run.at(to), count: run.outer, scratch: run.scratch });
  return wrapResult(result, out !== undefined, input, input.shape);
}
