import { type FloatArray, offsetOf } from '../arrays.js';
import type { SigmoidOperands } from '../generated/kernels.js';
import { Tensor } from '../memory/tensor.js';
import { type Runtime, takeRuntime } from '../runtime.js';
import type { Kernel } from '../wasm/kernel.js';
import { type Call, checkOverlaps, openCall, settle } from './call.js';
import { PLAIN } from './caller.js';
import { operandFrom, readOperand } from './operand.js';
import { type Given, type OptionNames, readOptions } from './options.js';
import { newArray, type Operand } from './place.js';
import { addressLike, residentOf } from './resident.js';
import { checkSize, newLike, readOptionalOut, readOut, wrapResult } from './result.js';
import { elementsAsRows, giveShape } from './rows.js';
import {
  floatBytes,
  hasStill,
  offsetOfLike,
  overlap,
  placeSmall,
  shortLength,
  smallResult,
  takeSmall,
} from './small.js';

interface ElementOptions {
  shape?: unknown;
  out?: unknown;
}

/** sigmoid and its like: each element by itself, whatever the shape. */
export interface ElementMap {
  readonly name: string;
  readonly kernel: Kernel<SigmoidOperands>;
  readonly options: OptionNames<ElementOptions>;
}

/** Runs such an operation. A tensor that goes into another one, or in place, becomes no operand: see resident.ts. */
export function mapElements(operation: ElementMap, x: unknown, options: unknown): unknown {
  const bytes = floatBytes(x);
  const length = bytes === 0 ? 0 : shortLength(x as FloatArray);
  if (length > 0)
    return mapShort(operation, x as FloatArray, bytes as 4 | 8, length, offsetOf(x as FloatArray), options);
  const { name } = operation;
  const call = openCall(name);
  const { runtime } = call;
  const storage = residentOf(runtime, x);
  const operand = storage === undefined ? readOperand(call, 'x', x) : undefined;
  let given = readElementOptions(operation, options);
  const { out } = given;
  if (storage !== undefined && Tensor.is(out)) {
    const { shape } = given;
    const { address, size, elementBytes } = storage;
    const y = addressLike(out, storage, size);
    if (shape === undefined && y >= 0 && address >= 0) {
      const compute = runtime.kernel(operation.kernel, elementBytes, name);
      compute({ x: address, y, count: size, scratch: runtime.arena.kernelScratch });
      return out;
    }
    given = { shape };
  }
  const input = operand ?? readOperand(call, 'x', x);
  const place = readOptionalOut(call, out, input.elementBytes, input.half);
  return mapOperand(call, operation, input, place, given.shape);
}

function readElementOptions({ name, options: names }: ElementMap, options: unknown): Given<ElementOptions> {
  return readOptions<ElementOptions>(name, options, names, PLAIN.out !== undefined || PLAIN.shape !== undefined);
}

/** The same for a short array: an operand is not made of it before there is a need for one. */
function mapShort(
  operation: ElementMap,
  x: FloatArray,
  bytes: 4 | 8,
  length: number,
  offset: number,
  options: unknown,
): unknown {
  const runtime = takeRuntime();
  if (options === undefined) return mapSmall(runtime, operation, x, undefined, bytes, length);
  const { arena } = runtime;
  const { moment } = arena;
  const given = readElementOptions(operation, options);
  const { out } = given;
  const result = (out === undefined ? x : out) as FloatArray;
  const outMoment = arena.moment;
  const outOffset = result === x ? offset : offsetOfLike(result, bytes, length);
  const call: Call = { runtime, operation: operation.name, last: undefined };
  if (outOffset < 0) {
    const input = operandFrom(call, 'x', x, length, offset, moment);
    return mapOperand(call, operation, input, readOut(call, 'out', out, bytes), given.shape);
  }
  const { shape } = given;
  const isUnchanged = arena.moment === moment && hasStill(x, length) && (result === x || hasStill(result, length));
  if (shape === undefined && isUnchanged && !overlap(x, offset, result, outOffset, length * bytes)) {
    return mapSmall(runtime, operation, x, out, bytes, length);
  }
  const input = operandFrom(call, 'x', x, length, offset, moment);
  const place = out === undefined ? undefined : operandFrom(call, 'out', result, length, outOffset, outMoment);
  return mapOperand(call, operation, input, place, shape);
}

/** The same for any x, which is read as `out` is, but not the shape. */
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
