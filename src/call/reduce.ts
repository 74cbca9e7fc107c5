import type { LogSumExpOperands, WeightedLogSumExpOperands } from '../generated/kernels.js';
import type { TensorStorage } from '../memory/tensor.js';
import type { Kernel } from '../wasm/kernel.js';
import { type Call, checkOverlaps, openCall, settle } from './call.js';
import { checkBroadcastOperand, describeFloats, describeMask } from './descriptor.js';
import { checkMask, readMask } from './mask.js';
import { readOperand, readOptional } from './operand.js';
import { type Given, type OptionNames, readFlag, readOptions, readTemperature } from './options.js';
import type { Operand } from './place.js';
import { checkSize, fillResult, newResult, readOptionalOut, wrapReduced } from './result.js';
import { type Rows, readRows } from './rows.js';
import { withAxis, withoutAxis } from './shape.js';
import { addressLike, bytesOf, lastSize, residentOf } from './small.js';

interface ReduceOptions {
  shape?: unknown;
  axis?: unknown;
  keepDims?: unknown;
  temperature?: unknown;
  weights?: unknown;
  mask?: unknown;
  out?: unknown;
}

/** logSumExp and its like: a number for each row along an axis. */
export interface RowReduction {
  readonly name: string;
  readonly kernel: Kernel<LogSumExpOperands>;
  /** For calls with weights, where the operation takes them. */
  readonly weightedKernel?: Kernel<WeightedLogSumExpOperands>;
  readonly options: Partial<OptionNames<ReduceOptions>>;
  /** The result of a row without elements. */
  readonly ofNothing: number;
}

const WITH_DESCRIPTORS = { mayTranspose: false };

/** Runs such an operation. */
export function reduceRows(operation: RowReduction, x: unknown, options: unknown): unknown {
  const { name } = operation;
  const call = openCall(name);
  const storage = residentOf(call.runtime, x);
  if (storage !== undefined) return reduceTensor(call, operation, x, storage, options);
  const input = readOperand(call, 'x', x);
  const given = readOptions<ReduceOptions>(name, options, operation.options);
  return reduceOperand(call, operation, input, readOptionalOut(call, given.out, input.elementBytes), given);
}

/** The same for a tensor: it takes no operand to reduce rows along the last axis into another tensor. */
function reduceTensor(
  call: Call,
  operation: RowReduction,
  x: unknown,
  storage: TensorStorage,
  options: unknown,
): unknown {
  const { name, kernel } = operation;
  const given = readOptions<ReduceOptions>(name, options, operation.options);
  const { out, weights, mask, temperature, keepDims, shape, axis } = given;
  const { size, address } = storage;
  const bytes = bytesOf(storage);
  const n = lastSize(storage);
  const y = addressLike(out, storage, size / n);
  const isOneAxis = axis === undefined && shape === undefined && keepDims === undefined;
  if (isOneAxis && weights === undefined && mask === undefined && address >= 0 && y >= 0) {
    const { runtime } = call;
    const divisor = readTemperature(name, temperature, bytes);
    const compute = runtime.kernel(kernel, bytes, name);
    const scratch = runtime.arena.kernelScratch;
    compute({ x: address, y, outer: size / n, n, inner: 1, temperature: divisor, scratch, mask: 0 });
    return out;
  }
  const input = readOperand(call, 'x', x);
  const place = readOptionalOut(call, out, bytes);
  return reduceOperand(call, operation, input, place, { weights, mask, temperature, keepDims, shape, axis });
}

/** The same for any x, which is read as `out` is, but no other option. */
function reduceOperand(
  call: Call,
  operation: RowReduction,
  input: Operand,
  out: Operand | undefined,
  given: Given<Omit<ReduceOptions, 'out'>>,
): unknown {
  const { name } = operation;
  const { runtime } = call;
  const { elementBytes } = input;
  const weightOperand = readOptional(call, 'weights', given.weights, elementBytes);
  const maskPlace = readMask(call, given.mask);
  const temperature = readTemperature(name, given.temperature, elementBytes);
  const keepDims = readFlag(name, 'keepDims', given.keepDims);
  const rows = readRows(name, input, given);
  settle(call);
  const weights = checkBroadcastOperand(name, weightOperand, input);
  const mask = checkMask(name, maskPlace, false, input, rows.axis);
  if (out !== undefined) {
    checkSize(call, out, rows.count);
    // The very range of x where rows have one element.
    checkOverlaps(call, out, input);
  }
  const isOut = out !== undefined;
  // The caller's storage has a shape of its own.
  const shape = isOut ? [] : reducedShape(input, rows, keepDims);
  if (input.length === 0) {
    const result = out ?? newResult(call, input, shape);
    fillResult(result, operation.ofNothing);
    return wrapReduced(result, isOut, input, shape);
  }

  const kernel = weights === undefined ? operation.kernel : operation.weightedKernel!;
  const compute = runtime.kernel(kernel, elementBytes, name);
  const { run } = runtime;
  const { n } = rows;
  run.open(name, rows, elementBytes, mask === undefined && weights === undefined ? undefined : WITH_DESCRIPTORS);
  const from = run.input(input);
  const maskDescriptor = mask && describeMask(runtime, mask, input, rows);
  const weightDescriptor = weights && describeFloats(runtime, weights, input, rows);
  const result = out ?? newResult(call, input, shape);
  const to = run.output(result, 1);
  run.start(isOut ? undefined : result);
  while (run.next()) {
    const { outer, inner, scratch } = run;
    const mask = maskDescriptor === undefined ? 0 : maskDescriptor.at();
    const weights = weightDescriptor === undefined ? 0 : weightDescriptor.at();
    compute({ x: run.at(from), y: run.at(to), outer, n, inner, temperature, scratch, mask, weights });
  }
  return wrapReduced(result, isOut, input, shape);
}

function reducedShape({ shape }: Operand, { axis }: Rows, keepDims: boolean): readonly number[] {
  if (shape === undefined) return [];
  return keepDims ? withAxis(shape, axis, 1) : withoutAxis(shape, axis);
}
