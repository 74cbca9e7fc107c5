import type { LogSumExpOperands, WeightedLogSumExpOperands } from '../generated/kernels.js';
import { Tensor } from '../memory/tensor.js';
import type { Kernel } from '../wasm/kernel.js';
import { type Call, checkOverlaps, openCall, settle } from './call.js';
import { checkBroadcastOperand, describeFloats, describeMask } from './descriptor.js';
import { checkMask, readMask } from './mask.js';
import { readOperand, readOptional } from './operand.js';
import { type Given, type OptionNames, readFlag, readOptions, readTemperature } from './options.js';
import type { Operand } from './place.js';
import { addressLike, residentOf, rowLength } from './resident.js';
import { checkSize, fillResult, newResult, readOptionalOut, wrapReduced } from './result.js';
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

/** Runs such an operation. A tensor that goes into another one becomes no operand: see resident.ts. */
export function reduceRows(operation: RowReduction, x: unknown, options: unknown): unknown {
  const { name } = operation;
  const call = openCall(name);
  const { runtime } = call;
  const storage = residentOf(runtime, x);
  const operand = storage === undefined ? readOperand(call, 'x', x) : undefined;
  let given = readOptions<ReduceOptions>(name, options, operation.options);
  const { out } = given;
  if (storage !== undefined && Tensor.is(out)) {
    const { weights, mask, temperature, keepDims, shape, axis } = given;
    const { address, size, elementBytes } = storage;
    const n = rowLength(storage, shape, axis);
    const y = addressLike(out, storage, size / n);
    const isPlain = keepDims === undefined && weights === undefined && mask === undefined;
    if (isPlain && n > 0 && y >= 0 && address >= 0) {
      const divisor = readTemperature(name, temperature, elementBytes);
      const compute = runtime.kernel(operation.kernel, elementBytes, name);
      const scratch = runtime.arena.kernelScratch;
      compute({ x: address, y, outer: size / n, n, inner: 1, temperature: divisor, scratch, mask: 0 });
      return out;
    }
    given = { weights, mask, temperature, keepDims, shape, axis };
  }
  const input = operand ?? readOperand(call, 'x', x);
  return reduceOperand(call, operation, input, readOptionalOut(call, out, input.elementBytes), given);
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
