import { type OptionNames, readOptions } from '../call/options.js';
import { areEqual } from '../call/shape.js';
import { rangeError, show, showShape, typeError } from '../errors.js';
import { isDifferentiatedTwice, runMap, runOperation } from './gradients.js';
import { binarySlope, classSlope, isTensor, type LabelSlope, type LossKernel, runLoss } from './losses.js';
import type { LossAttributes } from './operations.js';
import type { Host, HostTensor } from './types.js';

/** Options of {@link TensorFunctions.softmax} and {@link TensorFunctions.logSoftmax}. */
export interface SoftmaxTensorOptions<T> {
  /** The temperature, a positive number: x is divided by it first. Default 1. */
  temperature?: number | undefined;
  /**
   * A bool or int32 tensor of x's shape, or one whose shape broadcasts to it from the trailing axes: elements are kept
   * where it is not 0.
   */
  mask?: T | undefined;
  /** Whether row i keeps only the elements up to i, as in causal attention; only along the last axis. Default false. */
  causal?: boolean | undefined;
}

/** Options of {@link TensorFunctions.softmaxCrossEntropy}. */
export interface CrossEntropyTensorOptions<T> {
  /** A weight for each class. */
  weight?: T | Float32Array | readonly number[] | undefined;
  /** The class index of rows that are left out of the loss. Default -100. */
  ignoreIndex?: number | undefined;
  /** Label smoothing, in [0, 1]. Default 0. */
  labelSmoothing?: number | undefined;
  /** The temperature, a positive number: logits are divided by it first. Default 1. */
  temperature?: number | undefined;
  /** How the losses of the rows are combined. Default `'mean'`. */
  reduction?: 'mean' | 'sum' | 'none' | undefined;
}

/** Options of {@link TensorFunctions.sigmoidCrossEntropy}. */
export interface SigmoidCrossEntropyTensorOptions<T> {
  /** Factors of the losses: of the logits' shape, or of its trailing axes. */
  weight?: T | Float32Array | readonly number[] | undefined;
  /** Factors of the losses of positive labels, of the same shapes as `weight`. */
  posWeight?: T | Float32Array | readonly number[] | undefined;
  /** How the losses of the elements are combined. Default `'mean'`. */
  reduction?: 'mean' | 'sum' | 'none' | undefined;
}

const MAP_OPTIONS: OptionNames<SoftmaxTensorOptions<unknown>> = { temperature: true, mask: true, causal: true };
const CROSS_ENTROPY_OPTIONS: OptionNames<CrossEntropyTensorOptions<unknown>> = {
  weight: true,
  ignoreIndex: true,
  labelSmoothing: true,
  temperature: true,
  reduction: true,
};
const SIGMOID_OPTIONS: OptionNames<SigmoidCrossEntropyTensorOptions<unknown>> = {
  weight: true,
  posWeight: true,
  reduction: true,
};

/** Differentiable functions on the tensors of TensorFlow.js; x and logits have dtype float32. */
export interface TensorFunctions<T> {
  /** Softmax along any axis, by default the last. The result has x's shape. */
  softmax(x: T, axis?: number, options?: SoftmaxTensorOptions<T>): T;
  /** The logarithm of softmax along any axis, by default the last. The result has x's shape. */
  logSoftmax(x: T, axis?: number, options?: SoftmaxTensorOptions<T>): T;
  /** log Σ e^x over one axis or several, by default over all of them. `keepDims` keeps them with size 1. */
  logSumExp(x: T, axis?: number | readonly number[] | null, keepDims?: boolean): T;
  /**
   * Cross-entropy of the softmax of logits. The arguments have the order of tf.losses, so that
   * `model.compile({ loss: (y, x) => softmaxCrossEntropy(y, x), … })` works for a model whose last layer returns
   * logits.
   *
   * @param labels class indices, of the logits' shape without the last axis or with size 1 there; or class
   * probabilities, of the logits' shape.
   */
  softmaxCrossEntropy(labels: T, logits: T, options?: CrossEntropyTensorOptions<T>): T;
  /** Binary cross-entropy of the sigmoid of logits; labels have the logits' shape. */
  sigmoidCrossEntropy(labels: T, logits: T, options?: SigmoidCrossEntropyTensorOptions<T>): T;
}

/** TensorFlow.js, and whether its active backend is the registered one. */
interface Context<T> {
  readonly tf: Host<T>;
  isOurs(): boolean;
}

export function tensorFunctions<T extends HostTensor>(tf: Host<T>, isOurs: () => boolean): TensorFunctions<T> {
  const context = { tf, isOurs };
  return {
    softmax: (x, axis = -1, options) => softmax(context, x, axis, options),
    logSoftmax: (x, axis = -1, options) => logSoftmax(context, x, axis, options),
    logSumExp: (x, axis = null, keepDims = false) => logSumExp(context, x, axis, keepDims),
    softmaxCrossEntropy: (labels, logits, options) => softmaxCrossEntropy(context, labels, logits, options),
    sigmoidCrossEntropy: (labels, logits, options) => sigmoidCrossEntropy(context, labels, logits, options),
  };
}

function softmax<T extends HostTensor>(context: Context<T>, x: T, axis: number, options: unknown): T {
  const { temperature, mask, causal } = readMapOptions('softmax', options);
  const inputs = maskedInputs(context, 'softmax', x, mask);
  return runMap(context.tf, 'SoftmaxWasmSoftmax', inputs, { axis, temperature, causal });
}

function logSoftmax<T extends HostTensor>(context: Context<T>, x: T, axis: number, options: unknown): T {
  const { temperature, mask, causal } = readMapOptions('logSoftmax', options);
  const inputs = maskedInputs(context, 'logSoftmax', x, mask);
  const attributes = { axis, temperature, causal, isMasked: mask !== undefined || causal === true };
  return runMap(context.tf, 'SoftmaxWasmLogSoftmax', inputs, attributes);
}

function logSumExp<T extends HostTensor>(context: Context<T>, x: T, axis: unknown, keepDims: boolean): T {
  const { tf } = context;
  checkFloats(context, 'logSumExp', 'x', x);
  const runs = readAxes('logSumExp', axis, x.shape);
  const reduce = (rest: T, [from, to]: Run) =>
    runOperation(tf, 'SoftmaxWasmLogSumExp', { x: rest }, { from, to, keepDims }) as T;
  // From the last axis to the first, so that the axes not yet reduced keep their positions.
  return runs.length === 1 ? reduce(x, runs[0]!) : tf.tidy(() => runs.reduceRight(reduce, x));
}

function softmaxCrossEntropy<T extends HostTensor>(context: Context<T>, labels: T, logits: T, given: unknown): T {
  const { tf } = context;
  const operation = 'softmaxCrossEntropy';
  const read = readOptions<CrossEntropyTensorOptions<unknown>>(operation, given, CROSS_ENTROPY_OPTIONS);
  // Options are read once and together: one may be a getter, which runs the caller's code.
  const { weight, ignoreIndex, labelSmoothing, temperature, reduction = 'mean' } = read;
  checkLoss(context, operation, labels, logits);
  const options = {
    weight: readWeight(tf, weight),
    ignoreIndex,
    labelSmoothing,
    temperature,
    reduction: reduction as 'mean',
  };
  if (areEqual(labels.shape, logits.shape))
    return lossOf(tf, 'SoftmaxWasmCrossEntropy', labels, logits, options, classSlope);
  const targets = readIndices(operation, labels, logits.shape.slice(0, -1));
  return runLoss(tf, 'SoftmaxWasmCrossEntropy', logits, undefined, { options, targets }, undefined);
}

function sigmoidCrossEntropy<T extends HostTensor>(context: Context<T>, labels: T, logits: T, given: unknown): T {
  const { tf } = context;
  const operation = 'sigmoidCrossEntropy';
  const read = readOptions<SigmoidCrossEntropyTensorOptions<unknown>>(operation, given, SIGMOID_OPTIONS);
  const { weight, posWeight, reduction = 'mean' } = read;
  checkLoss(context, operation, labels, logits);
  if (!areEqual(labels.shape, logits.shape)) throw rangeShape(operation, labels, showShape(logits.shape));
  const options = {
    weight: readWeight(tf, weight),
    posWeight: readWeight(tf, posWeight),
    reduction: reduction as 'mean',
  };
  return lossOf(tf, 'SoftmaxWasmSigmoidCrossEntropy', labels, logits, options, binarySlope);
}

function lossOf<T extends HostTensor>(
  tf: Host<T>,
  kernel: LossKernel,
  labels: T,
  logits: T,
  options: LossAttributes['options'],
  slope: LabelSlope,
): T {
  if (labels.dtype === 'float32') return runLoss(tf, kernel, logits, labels, { options }, slope);
  return tf.tidy(() => runLoss(tf, kernel, logits, tf.cast(labels, 'float32'), { options }, slope));
}

function maskedInputs<T extends HostTensor>(
  context: Context<T>,
  operation: string,
  x: T,
  mask: unknown,
): { [name: string]: T } {
  checkFloats(context, operation, 'x', x);
  if (mask === undefined) return { x };
  checkTensor(context.tf, operation, 'mask', mask);
  if (mask.dtype !== 'bool' && mask.dtype !== 'int32') {
    throw new TypeError(`${operation}: mask is a ${mask.dtype} tensor, expected bool or int32`);
  }
  return { x, mask };
}

function checkLoss<T extends HostTensor>(context: Context<T>, operation: string, labels: T, logits: T): void {
  checkTensor(context.tf, operation, 'labels', labels);
  checkFloats(context, operation, 'logits', logits);
  if (isDifferentiatedTwice(context.tf)) throw new Error(`${operation}: its second derivatives are not available`);
}

function checkFloats<T extends HostTensor>(
  { tf, isOurs }: Context<T>,
  operation: string,
  argument: string,
  x: T,
): void {
  checkTensor(tf, operation, argument, x);
  if (!isOurs()) {
    throw new Error(`${operation}: the backend is ${show(tf.getBackend())}, expected the one that was registered`);
  }
  if (x.dtype !== 'float32') {
    throw new TypeError(`${operation}: ${argument} is a ${x.dtype} tensor, expected float32`);
  }
}

function checkTensor<T extends HostTensor>(
  tf: Host<T>,
  operation: string,
  argument: string,
  x: unknown,
): asserts x is T {
  if (!isTensor(tf, x)) throw typeError(operation, argument, x, 'a tf.Tensor');
  x.throwIfDisposed();
}

/** The weights of classes or of labels as numbers; such tensors are small. */
function readWeight<T extends HostTensor>(tf: Host<T>, weight: unknown): unknown {
  return isTensor(tf, weight) ? { data: weight.dataSync(), shape: weight.shape } : weight;
}

function readMapOptions(operation: string, options: unknown) {
  return readOptions<SoftmaxTensorOptions<unknown>>(operation, options, MAP_OPTIONS);
}

/** Class indices as int32 without the last axis of 1; data sets often have them as float32 and with it. */
function readIndices(operation: string, labels: HostTensor, rows: readonly number[]): readonly number[] | Int32Array {
  const { shape } = labels;
  if (!areEqual(shape, rows) && !areEqual(shape, [...rows, 1])) {
    throw rangeShape(operation, labels, `${showShape(rows)} for class indices, or the shape of the logits`);
  }
  const data = labels.dataSync();
  return data instanceof Int32Array ? data : Array.from(data);
}

/** Consecutive axes: the first, and the one after the last. */
type Run = [from: number, to: number];

/** The runs of consecutive axes in order, at least one; without axes it is one empty run. */
function readAxes(operation: string, axis: unknown, { length: rank }: readonly number[]): Run[] {
  if (axis === null) return [[0, rank]];
  const axes = (Array.isArray(axis) ? axis : [axis]).map((one) => {
    if (!Number.isInteger(one) || one < -rank || one >= rank) {
      throw rangeError(operation, 'axis', one, `a whole number in [-${rank}, ${rank})`);
    }
    return one < 0 ? one + rank : one;
  }) as number[];
  axes.sort((a, b) => a - b);
  if (new Set(axes).size < axes.length) {
    throw new RangeError(`${operation}: axis is ${showShape(axes)}, expected each axis once`);
  }
  const [first = 0] = axes;
  const runs: Run[] = [[first, first]];
  for (const one of axes) {
    const last = runs.at(-1)!;
    if (one === last[1]) last[1]++;
    else runs.push([one, one + 1]);
  }
  return runs;
}

function rangeShape(operation: string, { shape }: HostTensor, expected: string): RangeError {
  return new RangeError(`${operation}: labels has shape ${showShape(shape)}, expected ${expected}`);
}
