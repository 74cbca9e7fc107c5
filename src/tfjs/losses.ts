import { isDifferentiatedTwice, runOperation } from './gradients.js';
import type { LossAttributes } from './operations.js';
import type { Host, HostLoss, HostTensor, Losses } from './types.js';

export type LossKernel = 'SoftmaxWasmCrossEntropy' | 'SoftmaxWasmSigmoidCrossEntropy';

/** The derivative of a loss with respect to its labels, in which the loss is linear. */
export type LabelSlope = <T extends HostTensor>(tf: Host<T>, logits: T, options: LossAttributes['options']) => T;

/**
 * A loss, computed together with its gradient where one will be asked for. The gradient of the labels comes from
 * `slope`; without it, it is minus that of the logits, as in TensorFlow.js for classes.
 */
export function runLoss<T extends HostTensor>(
  tf: Host<T>,
  kernel: LossKernel,
  logits: T,
  labels: T | undefined,
  { targets, options }: Omit<LossAttributes, 'withGrad'>,
  slope: LabelSlope | undefined,
): T {
  const engine = tf.engine();
  const withGrad = engine.isTapeOn();
  const inputs: { [name: string]: T } = labels === undefined ? { logits } : { logits, labels };
  // tf.customGrad would compute the gradient of the labels even if nobody asks for it.
  return engine.runKernelFunc({
    inputs,
    forwardFunc: (_, save) => {
      const [loss, grad] = runOperation(tf, kernel, inputs, { targets, options, withGrad }) as T[];
      if (withGrad) save(slope === undefined ? [grad!] : [grad!, logits]);
      return loss!;
    },
    backwardsFunc: (dy, [grad, x]) => ({
      logits: () => timesLossGradient(tf, grad!, dy),
      labels: () =>
        slope === undefined
          ? tf.neg(timesLossGradient(tf, grad!, dy))
          : timesLossGradient(tf, slope(tf, x!, options), dy),
    }),
  });
}

/** The slope for binary labels. */
export const binarySlope: LabelSlope = (tf, logits, options) => {
  const lossOf = (labels: typeof logits) => {
    const attributes = { options: { ...options, reduction: 'none' }, withGrad: false };
    const [loss] = runOperation(tf, 'SoftmaxWasmSigmoidCrossEntropy', { logits, labels }, attributes) as [
      typeof logits,
    ];
    return loss;
  };
  const isWeighted = options.weight !== undefined || options.posWeight !== undefined;
  const zeros = tf.zerosLike(logits);
  const slope = isWeighted ? tf.sub(lossOf(tf.add(zeros, 1)), lossOf(zeros)) : tf.neg(logits);
  return options.reduction === 'mean' ? tf.mul(slope, 1 / logits.size) : slope;
};

/**
 * The slope for class probabilities: −log p times the weight of the class and the share of the label that smoothing
 * keeps.
 */
export const classSlope: LabelSlope = (tf, logits, options) => {
  const { weight, labelSmoothing = 0, temperature, reduction } = options as ClassOptions;
  const logs = runOperation(tf, 'SoftmaxWasmLogSoftmax', { x: logits }, { temperature }) as typeof logits;
  const rows = reduction === 'mean' ? logits.size / logits.shape.at(-1)! : 1;
  const slope = tf.mul(logs, (labelSmoothing - 1) / rows);
  return weight === undefined ? slope : tf.mul(slope, tf.tensor('data' in weight ? weight.data : weight));
};

type Numbers = readonly number[] | Float32Array;

interface ClassOptions {
  readonly weight?: Numbers | { readonly data: Numbers };
  readonly labelSmoothing?: number;
  readonly temperature?: number;
  readonly reduction: string;
}

/**
 * The gradient times dy, which has a number for each loss and is mostly 1. In that case the result is a tensor that
 * shares the gradient's elements, which tf.clone would copy.
 */
function timesLossGradient<T extends HostTensor>(tf: Host<T>, grad: T, dy: T): T {
  if (dy.size === 1 && dy.dataSync()[0] === 1) return tf.reshape(grad, grad.shape);
  const isPerRow = dy.rank > 0 && dy.rank < grad.rank;
  return tf.mul(grad, isPerRow ? tf.reshape(dy, [...dy.shape, 1]) : dy);
}

/**
 * Our reductions by the numbers of tf.Reduction. The last, SUM_BY_NONZERO_WEIGHTS, is the mean if there are no weights.
 */
const REDUCTIONS = ['none', 'mean', 'sum', 'mean'] as const;
const NONE = 0;
const SUM_BY_NONZERO_WEIGHTS = 3;

interface FusedLoss {
  readonly kernel: LossKernel;
  /** Labels moved towards `uniform`: 1 / the number of classes, or one half for binary labels. */
  readonly uniform: (shape: readonly number[]) => number;
  readonly leastRank: number;
  readonly slope: LabelSlope | undefined;
}

const FUSED: Record<'softmaxCrossEntropy' | 'sigmoidCrossEntropy', FusedLoss> = {
  // TensorFlow.js takes the size of axis 1 for the number of classes, whatever the rank.
  softmaxCrossEntropy: {
    kernel: 'SoftmaxWasmCrossEntropy',
    uniform: (shape) => 1 / shape[1]!,
    leastRank: 1,
    slope: undefined,
  },
  sigmoidCrossEntropy: {
    kernel: 'SoftmaxWasmSigmoidCrossEntropy',
    uniform: () => 0.5,
    leastRank: 0,
    slope: binarySlope,
  },
};

type FusedLossName = keyof typeof FUSED;
const FUSED_LOSSES = Object.keys(FUSED) as FusedLossName[];

/**
 * A faster loss with the arguments of the one in tf.losses, which still computes the calls that this one does not
 * support.
 */
function fasterLoss<T extends HostTensor>(
  tf: Host<T>,
  name: FusedLossName,
  original: HostLoss<T>,
  isOurs: () => boolean,
): HostLoss<T> {
  const { kernel, uniform, leastRank, slope } = FUSED[name];
  const suits = (labels: T, logits: T) =>
    isOurs() &&
    isTensor(tf, labels) &&
    isTensor(tf, logits) &&
    logits.dtype === 'float32' &&
    ['float32', 'int32', 'bool'].includes(labels.dtype) &&
    logits.rank >= leastRank &&
    logits.size > 0 &&
    logits.shape.length === labels.shape.length &&
    logits.shape.every((size, i) => size === labels.shape[i]) &&
    !isDifferentiatedTwice(tf);

  return (labels, logits, weights, labelSmoothing = 0, reduction = SUM_BY_NONZERO_WEIGHTS) => {
    const kind = REDUCTIONS[reduction];
    const isWeighted = weights !== undefined && weights !== null;
    const doesSuit = kind !== undefined && suits(labels, logits) && (!isWeighted || isTensor(tf, weights));
    // Smoothing reads the size of axis 1, which labels of rank 1 do not have.
    if (!doesSuit || (labelSmoothing > 0 && logits.rank === leastRank)) {
      return original(labels, logits, weights, labelSmoothing, reduction);
    }
    if (labels.dtype === 'float32' && labelSmoothing <= 0 && !isWeighted) {
      return runLoss(tf, kernel, logits, labels, { options: { reduction: kind } }, slope);
    }
    return tf.tidy(() => {
      const floats = labels.dtype === 'float32' ? labels : tf.cast(labels, 'float32');
      const { shape } = logits;
      const smooth =
        labelSmoothing > 0 ? tf.add(tf.mul(floats, 1 - labelSmoothing), labelSmoothing * uniform(shape)) : floats;
      const options = { reduction: isWeighted ? REDUCTIONS[NONE] : kind };
      const loss = runLoss(tf, kernel, logits, smooth, { options }, slope);
      return isWeighted ? tf.losses!.computeWeightedLoss(loss, weights, reduction) : loss;
    });
  };
}

export function isTensor<T>(tf: Host<T>, value: unknown): value is T {
  return value instanceof (tf.Tensor as unknown as new () => object);
}

/** Replaces the losses in tf.losses, which a custom build may lack, and returns a function that restores them. */
export function replaceLosses<T extends HostTensor>(tf: Host<T>, isOurs: () => boolean): () => void {
  const { losses } = tf;
  if (losses === undefined) return () => {};
  const originals: Pick<Losses<T>, FusedLossName> = { ...losses };
  for (const name of FUSED_LOSSES) losses[name] = fasterLoss(tf, name, originals[name], isOurs);
  return () => {
    for (const name of FUSED_LOSSES) losses[name] = originals[name];
  };
}
