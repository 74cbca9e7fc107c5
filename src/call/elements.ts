import { countOf, type FloatArray, offsetOf } from '../arrays.js';
import type { SigmoidOperands } from '../generated/kernels.js';
import { type Runtime, takeRuntime } from '../runtime.js';
import type { Kernel } from '../wasm/kernel.js';
import { type Call, checkOverlaps, openCall, settle } from './call.js';
import { PLAIN } from './caller.js';
import { operandFrom, readOperand } from './operand.js';
import { type OptionNames, readOptions } from './options.js';
import { newArray, type Operand, shapeOf } from './place.js';
import { checkSize, newResult, readOptionalOut, wrapResult } from './result.js';
import { elementsAsRows } from './rows.js';
import {
  floatBytes,
  hasStill,
  isShort,
  mayOverlap,
  offsetOfLike,
  placeSmall,
  smallResult,
  takeSmall,
} from './small.js';

interface ElementOptions {
  out?: unknown;
}

/** sigmoid and its like: each element by itself, whatever the shape. */
export interface ElementMap {
  readonly name: string;
  readonly kernel: Kernel<SigmoidOperands>;
  readonly options: OptionNames<ElementOptions>;
}

/** Runs such an operation. */
export function mapElements(operation: ElementMap, x: unknown, options: unknown): unknown {
  const bytes = floatBytes(x);
  if (bytes !== 0 && isShort(x as FloatArray)) return mapShort(operation, x as FloatArray, bytes, options);
  const call = openCall(operation.name);
  const input = readOperand(call, 'x', x);
  return mapOperand(call, operation, input, askedOut(operation, options));
}

function askedOut({ name, options: names }: ElementMap, options: unknown): unknown {
  return readOptions<ElementOptions>(name, options, names, PLAIN.out !== undefined).out;
}

/** The same for a short array: an operand is not made of it before there is a need for one. */
function mapShort(operation: ElementMap, x: FloatArray, bytes: 4 | 8, options: unknown): unknown {
  const runtime = takeRuntime();
  const length = countOf(x);
  if (options === undefined) return mapSmall(runtime, operation, x, undefined, bytes, length);
  const { arena } = runtime;
  const { moment } = arena;
  const offset = offsetOf(x);
  const out = askedOut(operation, options);
  const result = (out === undefined ? x : out) as FloatArray;
  const outOffset = result === x ? offset : offsetOfLike(result, bytes, length);
  // None of the caller's code has run since `out` was read.
  if (outOffset >= 0 && arena.moment === moment && hasStill(x, length) && !mayOverlap(x, offset, result, outOffset)) {
    return mapSmall(runtime, operation, x, out, bytes, length);
  }
  const call: Call = { runtime, operation: operation.name, last: undefined };
  return mapOperand(call, operation, operandFrom(call, 'x', x, length, offset, moment), out);
}

/** The same for any x, which is read, and what was given as `out`. */
function mapOperand(call: Call, { kernel }: ElementMap, input: Operand, asked: unknown): unknown {
  const { operation, runtime } = call;
  const { elementBytes, length } = input;
  const out = readOptionalOut(call, asked, elementBytes);
  settle(call);
  if (out !== undefined) {
    checkSize(call, out, length);
    checkOverlaps(call, out, input);
  }
  const compute = runtime.kernel(kernel, elementBytes, operation);
  const { run } = runtime;
  run.open(operation, elementsAsRows(length), elementBytes);
  const from = run.input(input);
  const result = out ?? newResult(call, input, shapeOf(input));
  const to = run.output(result);
  run.start(out === undefined ? result : undefined);
  while (run.next()) compute({ x: run.at(from), y: run.at(to), count: run.outer, scratch: run.scratch });
  return wrapResult(result, out !== undefined, input, input.shape);
}

function mapSmall(
  runtime: Runtime,
  { name, kernel }: ElementMap,
  x: FloatArray,
  out: unknown,
  elementBytes: 4 | 8,
  length: number,
): FloatArray {
  const { arena } = runtime;
  const compute = runtime.kernel(kernel, elementBytes, name);
  const result = (out ?? newArray(elementBytes, length)) as FloatArray;
  const from = placeSmall(arena, x, elementBytes, length);
  compute({ x: from, y: smallResult(arena), count: length, scratch: arena.kernelScratch });
  return takeSmall(arena, result, elementBytes, length);
}
