import type { LogSumExpOperands, WeightedLogSumExpOperands } from '../generated/kernels.js';
import type { Kernel } from '../wasm/kernel.js';
import { checkOverlaps, openCall, settle } from './call.js';
import { checkBroadcastOperand, describeFloats, describeMask } from './descriptor.js';
import { checkMask, readMask } from './mask.js';
import { readOperand, readOptional } from './operand.js';
import { type OptionNames, readFlag, readOptions, readTemperature } from './options.js';
import { checkSize, fillResult, newResult, readOptionalOut, wrapReduced } from './result.js';
import { readRows } from './rows.js';
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
  const { runtime } = call;
  const input = readOperand(call, 'x', x);
  const { elementBytes } = input;
  const given = readOptions<ReduceOptions>(name, options, operation.options);
  const out = readOptionalOut(call, given.out, elementBytes);
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
  const { shape: own } = input;
  const shape = own === undefined ? [] : keepDims ? withAxis(own, rows.axis, 1) : withoutAxis(own, rows.axis);
  if (input.length === 0) {
    const result = out ?? newResult(call, input, shape);
    fillResult(result, operation.ofNothing);
    return wrapReduced(result, out !== undefined, input, shape);
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
  run.start(out === undefined ? result : undefined);
  while (run.next()) {
    const { outer, inner, scratch } = run;
    const mask = maskDescriptor === undefined ? 0 : maskDescriptor.at();
    const weights = weightDescriptor === undefined ? 0 : weightDescriptor.at();
    compute({ x: run.at(from), y: run.at(to), outer, n, inner, temperature, scratch, mask, weights });
  }
  return wrapReduced(result, out !== undefined, input, shape);
}
