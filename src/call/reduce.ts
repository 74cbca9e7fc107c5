import type { LogSumExpOperands, WeightedLogSumExpOperands } from '../generated/kernels.js';
import type { Kernel } from '../wasm/kernel.js';
import { type Call, checkOverlaps, openCall, settle } from './call.js';
import { checkBroadcastOperand, describeFloats, describeMask, WITH_DESCRIPTORS } from './descriptor.js';
import {
  addressOf,
  operandOf,
  readArgument,
  readResult,
  readSizes,
  resultAddress,
  resultOf,
  rowLength,
  takeResult,
  takesFastPath,
} from './fast-path.js';
import { checkMask, readMask } from './mask.js';
import { readOptional } from './operand.js';
import { type Given, type OptionNames, readFlag, readOptions, readTemperature } from './options.js';
import type { Operand } from './place.js';
import { checkSize, fillResult, newResult, wrapReduced } from './result.js';
import { type Rows, readRows } from './rows.js';
import { withAxis, withoutAxis } from './shape.js';

interface ReduceOptions {
  shape?: unknown;
  axis?: unknown;
  keepDims?: unknown;
  temperature?: unknown;
  weights?: unknown;
  mask?: unknown;
  out?: unknown;
}

/** The description of an operation such as logSumExp, with a number for each row along an axis. */
export interface RowReduction {
  readonly name: string;
  readonly kernel: Kernel<LogSumExpOperands>;
  /** The kernel for calls with weights, if the operation takes them. */
  readonly weightedKernel?: Kernel<WeightedLogSumExpOperands>;
  readonly options: Partial<OptionNames<ReduceOptions>>;
  /** The result of a row without elements. */
  readonly emptyRowResult: number;
}

/** Runs such an operation: on the fast path if it can. */
export function reduceRows(operation: RowReduction, x: unknown, options: unknown): unknown {
  const { name } = operation;
  const call = openCall(name);
  const from = readArgument(call, 'x', x);
  const given = readOptions<ReduceOptions>(name, options, operation.options);
  const { out } = given;
  const to = readResult(call, from, out);
  const { weights, mask, temperature, keepDims, axis, shape: sizes } = given;
  const shape = readSizes(call, from, sizes);
  const isPlain = keepDims === undefined && weights === undefined && mask === undefined;
  const { runtime } = call;
  const n = isPlain && from.kind === undefined ? rowLength(from, shape, axis) : 0;
  if (from.kind === undefined && n > 0 && takesFastPath(runtime.arena, from, to, from.size / n)) {
    const { arena } = runtime;
    const { elementBytes } = from;
    const outer = from.size / n;
    const divisor = readTemperature(name, temperature, elementBytes);
    const compute = runtime.kernel(operation.kernel, elementBytes, name);
    const x = addressOf(arena, from, 1);
    const y = resultAddress(arena, to);
    compute({ x, y, outer, n, inner: 1, temperature: divisor, scratch: arena.kernelScratch, mask: 0 });
    if (shape === undefined && to === undefined) return arena.floats(elementBytes)[y / elementBytes];
    return takeResult(arena, from, out, outer);
  }
  const place = resultOf(call, from, out, to);
  const others = { weights, mask, temperature, keepDims, axis, shape };
  return reduceOperand(call, operation, operandOf(call, 'x', x, from), place, others);
}

/** Runs any other call; of its options, only `out` has been read as an operand. */
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
    // It may be exactly x if rows have one element.
    checkOverlaps(call, out, input);
  }
  const isOut = out !== undefined;
  // The shape of `out` is the caller's own.
  const shape = isOut ? [] : reducedShape(input, rows, keepDims);
  if (input.length === 0) {
    const result = out ?? newResult(call, input, shape);
    fillResult(result, operation.emptyRowResult);
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
