/** A call of every operation, for what must hold for all of them alike. */

import type { Kernels } from '../../src/index.js';

export interface Call {
  readonly operation: keyof Kernels;
  /** The arguments before the options, by name. */
  readonly arguments: Readonly<Record<string, unknown>>;
  /** Every option there is but `out`, as it may be given. */
  readonly options: Readonly<Record<string, unknown>>;
  /** What `out` may be. */
  readonly out?: () => unknown;
}

/** The sizes of the logits. */
export const SHAPE: readonly number[] = [2, 3];

const SIX = () => Float32Array.of(1, 2, 3, 1, 5, 1);
const PROBABILITIES = () => Float32Array.of(0.1, 0.2, 0.7, 0.3, 0.3, 0.4);
const six = () => new Float32Array(6);
const two = () => new Float32Array(2);

/** Calls on logits of SHAPE, with fresh arguments. */
export function callsOf(): readonly Call[] {
  const along = { shape: SHAPE, axis: -1 };
  const kept = Uint8Array.of(1, 1, 0);
  const ofClasses = { ...along, ignoreIndex: -100 };
  const crossEntropy = {
    arguments: { logits: SIX(), targets: Int32Array.of(0, 1) },
    options: { ...ofClasses, temperature: 2, weight: [1, 2, 3], labelSmoothing: 0.1, reduction: 'none' },
  };
  const nllLoss = {
    arguments: { logProbs: SIX(), targets: [0, 1] },
    options: { ...ofClasses, weight: [1, 2, 3], reduction: 'none' },
  };
  const bceWithLogits = {
    arguments: { logits: SIX(), targets: Uint8Array.of(0, 1, 1, 0, 0, 1) },
    options: { shape: SHAPE, weight: [1, 2, 3], posWeight: [3, 2, 1], reduction: 'none' },
  };
  const klDiv = {
    arguments: { logProbs: SIX(), targets: PROBABILITIES() },
    options: { shape: SHAPE, logTarget: false, reduction: 'none' },
  };
  const distillation = {
    arguments: { studentLogits: SIX(), teacherLogits: PROBABILITIES() },
    options: { ...along, temperature: 2, reduction: 'none' },
  };
  const rows = { gradOutput: [1, 2] };
  const elements = { gradOutput: PROBABILITIES() };
  const backward = { options: { ...along, temperature: 2 }, out: six };
  return [
    {
      operation: 'softmax',
      arguments: { x: SIX() },
      options: { ...along, temperature: 2, mask: kept, causal: false },
      out: six,
    },
    {
      operation: 'logSoftmax',
      arguments: { x: SIX() },
      options: { ...along, temperature: 2, mask: kept, causal: true },
      out: six,
    },
    {
      operation: 'logSumExp',
      arguments: { x: SIX() },
      options: { ...along, keepDims: true, temperature: 2, weights: [1, 2, 3], mask: kept },
      out: two,
    },
    { operation: 'sigmoid', arguments: { x: SIX() }, options: {}, out: six },
    { operation: 'logSigmoid', arguments: { x: SIX() }, options: {}, out: six },
    { operation: 'softmaxBackward', arguments: { y: SIX(), dy: PROBABILITIES() }, ...backward },
    { operation: 'logSoftmaxBackward', arguments: { logP: SIX(), dy: PROBABILITIES() }, ...backward },
    { operation: 'argmax', arguments: { x: SIX() }, options: along, out: () => new Int32Array(2) },
    {
      operation: 'topK',
      arguments: { x: SIX(), k: 2 },
      options: along,
      out: () => ({ values: new Float32Array(4), indices: new Int32Array(4) }),
    },
    { operation: 'crossEntropy', ...crossEntropy, out: two },
    {
      operation: 'crossEntropyWithGrad',
      ...crossEntropy,
      options: { ...crossEntropy.options, ...rows },
      out: six,
    },
    { operation: 'nllLoss', ...nllLoss, out: two },
    { operation: 'nllLossWithGrad', ...nllLoss, options: { ...nllLoss.options, ...rows }, out: six },
    { operation: 'bceWithLogits', ...bceWithLogits, out: six },
    {
      operation: 'bceWithLogitsWithGrad',
      ...bceWithLogits,
      options: { ...bceWithLogits.options, ...elements },
      out: six,
    },
    { operation: 'klDiv', ...klDiv, out: six },
    { operation: 'klDivWithGrad', ...klDiv, options: { ...klDiv.options, ...elements }, out: six },
    { operation: 'distillation', ...distillation, out: two },
    { operation: 'distillationWithGrad', ...distillation, options: { ...distillation.options, ...rows }, out: six },
    { operation: 'accuracy', arguments: crossEntropy.arguments, options: { ...ofClasses, k: 1 } },
    { operation: 'logProbs', arguments: crossEntropy.arguments, options: { ...ofClasses, temperature: 2 } },
    { operation: 'inspectLogits', arguments: { x: SIX() }, options: along },
  ];
}

type Run = (...given: unknown[]) => unknown;

/** Calls the operation with arguments and options, or some of them replaced. */
export function callWith(kernels: Kernels, call: Call, replaced: Readonly<Record<string, unknown>> = {}): unknown {
  const options: Record<string, unknown> = { ...call.options };
  const given = { ...call.arguments };
  for (const [name, value] of Object.entries(replaced)) (Object.hasOwn(given, name) ? given : options)[name] = value;
  return callOf(kernels, call.operation, ...Object.values(given), options);
}

export function callOf(kernels: Kernels, operation: keyof Kernels, ...given: unknown[]): unknown {
  return (kernels[operation] as Run)(...given);
}
