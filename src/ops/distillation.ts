import {
  type BatchReduction,
  checkResults,
  emptyLoss,
  type LossOptions,
  readLoss,
  runLoss,
  settleLoss,
} from '../call/loss.js';
import { checkLikeness, cutOperand } from '../call/map.js';
import { readOperand } from '../call/operand.js';
import { checkTemperature, type OptionNames, readOptions } from '../call/options.js';
import { readOptionalOut } from '../call/result.js';
import { geometry } from '../call/rows.js';
import { distillationKernel } from '../generated/kernels.js';
import type { Tensor } from '../memory/tensor.js';
import { distillation as reference } from '../reference/distillation.js';
import { currentRuntime, type Runtime } from '../runtime.js';
import type { FloatArray, GradResult, Input, LossResult } from '../types.js';
import { defineKernel } from '../wasm/kernel.js';

const kernel = /* @__PURE__ */ defineKernel(distillationKernel, reference);

/** Options of {@link distillation}. */
export interface DistillationOptions {
  /** Sizes of the logits' axes. Plain numbers without it are one row. */
  shape?: readonly number[];
  /** The axis of the classes; negative counts from the end. Default -1. */
  axis?: number;
  /** Divides both models' logits, which softens their probabilities; positive. Default 1. */
  temperature?: number;
  /** `'batchMean'` (the default) divides by the first axis' size, `'mean'` by the number of rows; `'none'` gives a loss
   * for each row. */
  reduction?: BatchReduction;
  /** Receives the losses of the rows, with reduction `'none'`; no overlap with any argument. */
  out?: FloatArray | Tensor;
}

/** Options of {@link distillationWithGrad}. */
export interface DistillationWithGradOptions extends DistillationOptions {
  /** Receives the gradient: same dtype and number of elements as the logits; the student's logits themselves, or no
   * overlap with any argument. */
  out?: FloatArray | Tensor;
  /** The gradient that comes in from above: a number, or with reduction `'none'` one for each row. Default 1. */
  gradOutput?: number | Input;
}

const OPTIONS: OptionNames = { shape: true, axis: true, temperature: true, reduction: true, out: true };
const GRAD_OPTIONS: OptionNames = { ...OPTIONS, gradOutput: true };

const REDUCTIONS: readonly BatchReduction[] = ['batchMean', 'mean', 'sum', 'none'];

interface ReadOptions extends LossOptions {
  axis?: unknown;
  temperature?: unknown;
}

/** @internal */
export function distillationOn(runtime: Runtime, student: unknown, teacher: unknown, options?: unknown): unknown {
  return distil(runtime, 'distillation', false, student, teacher, options, OPTIONS);
}

/** @internal */
export function distillationWithGradOn(
  runtime: Runtime,
  student: unknown,
  teacher: unknown,
  options?: unknown,
): unknown {
  return distil(runtime, 'distillationWithGrad', true, student, teacher, options, GRAD_OPTIONS);
}

function distil(
  runtime: Runtime,
  operation: string,
  withGrad: boolean,
  studentLogits: unknown,
  teacherLogits: unknown,
  given: unknown,
  names: OptionNames,
): unknown {
  const input = readOperand(runtime, operation, 'studentLogits', studentLogits);
  const teacher = readOperand(runtime, operation, 'teacherLogits', teacherLogits, input.elementBytes);
  const options = readOptions<ReadOptions>(operation, given, names);
  const out = readOptionalOut(runtime, operation, 'out', options.out, input.elementBytes);
  const asked = readLoss(runtime, operation, withGrad, input, out, options, REDUCTIONS);
  const { axis = -1, temperature = 1 } = options;
  settleLoss(runtime, asked, teacher);
  checkTemperature(operation, temperature, input.elementBytes);
  checkLikeness(operation, 'teacherLogits', teacher, 'studentLogits', input);
  cutOperand(operation, input, axis);
  const { outer, n, inner } = geometry;
  const rows = outer * inner;
  checkResults(runtime, asked, rows, 'row', { teacherLogits: teacher });
  if (input.length === 0) return emptyLoss(runtime, asked, axis as number, rows);

  const { stream } = runtime;
  stream.open(operation, outer, n, inner, input.elementBytes, 3);
  const buffer = stream.claim(n * input.elementBytes);
  const ours = stream.input(input);
  const theirs = stream.input(teacher);
  const run = runtime.kernel(kernel, input.elementBytes);
  return runLoss(runtime, asked, axis as number, rows, (results) => {
    const { outer, inner, scratch } = stream;
    run({
      student: stream.at(ours),
      teacher: stream.at(theirs),
      outer,
      n,
      inner,
      temperature,
      scratch,
      buffer,
      ...results,
    });
  });
}

/**
 * Knowledge distillation: T² · KL(softmax(teacher / T) ‖ softmax(student / T)) along an axis, how far a student's
 * softened probabilities are from a teacher's. The factor T² keeps the gradients' size whatever the temperature.
 *
 * Both arguments are logits: softmax is inside. Rows that hold NaN or +∞, or nothing but -∞, give NaN; a probability
 * of 0 of the teacher counts 0. Equal logits give 0.
 * Formula: Hinton, Vinyals and Dean, Distilling the knowledge in a neural network, 2015.
 *
 * @param studentLogits shape [..., classes], or any shape with `axis`.
 * @param teacherLogits of the same shape and dtype.
 * @returns a number; with reduction `'none'` a loss for each row.
 * @throws TypeError for a wrong kind of argument, RangeError for a wrong shape, length or value: nothing is written
 * then.
 *
 * @example
 * distillation([2.0, 1.0, 0.1], [3.0, 1.0, 0.2]); // 0.079
 * @example
 * distillation([2.0, 1.0, 0.1], [3.0, 1.0, 0.2], { temperature: 2 }); // 0.112
 */
export function distillation<X extends Input, const O extends DistillationOptions>(
  studentLogits: X,
  teacherLogits: Input,
  options?: O,
): LossResult<X, O> {
  return distillationOn(currentRuntime(), studentLogits, teacherLogits, options) as LossResult<X, O>;
}

/**
 * {@link distillation} and its gradient with respect to the student's logits, in one pass: T · (softmax(student / T) −
 * softmax(teacher / T)), divided as the loss is. `out` may be the student's logits.
 *
 * @returns the loss, and the gradient in the kind of array or tensor that the student's logits came in, or `out`.
 * @throws as {@link distillation}.
 *
 * @example
 * const { loss, grad } = distillationWithGrad([2.0, 1.0, 0.1], [3.0, 1.0, 0.2]);
 * loss; // 0.079
 * grad; // Float32Array [-0.177, 0.129, 0.048]
 */
export function distillationWithGrad<X extends Input, const O extends DistillationWithGradOptions>(
  studentLogits: X,
  teacherLogits: Input,
  options?: O,
): GradResult<X, O> {
  return distillationWithGradOn(currentRuntime(), studentLogits, teacherLogits, options) as GradResult<X, O>;
}
