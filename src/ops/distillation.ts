import { type Call, openCall, settle } from '../call/call.js';
import {
  addressOf,
  type FastArgument,
  isFastLike,
  operandOf,
  overlap,
  readArgument,
  readResult,
  readSizes,
  resultOf,
  rowLength,
} from '../call/fast-path.js';
import { checkLikeness } from '../call/likeness.js';
import {
  addRowGradOutput,
  checkResults,
  emptyLoss,
  FAST_SUM_BYTES,
  type FastLoss,
  type LossOptions,
  openFastLoss,
  readLoss,
  runFastLoss,
  runLoss,
} from '../call/loss.js';
import { type Given, type OptionNames, readOptions, readTemperature } from '../call/options.js';
import type { Operand } from '../call/place.js';
import { readRows } from '../call/rows.js';
import { distillationKernel } from '../generated/kernels.js';
import { OPERAND_SCRATCH } from '../memory/arena.js';
import { distillation as reference } from '../reference/distillation.js';
import type {
  BatchReduction,
  GradOptions,
  GradResult,
  Input,
  LossResult,
  NoOptions,
  OptionsArgument,
  RowsOut,
} from '../types.js';
import { defineKernel } from '../wasm/kernel.js';

/** Options of {@link distillation}. */
export interface DistillationOptions {
  /** Sizes of the logits' axes. Plain numbers without it are one row. */
  shape?: readonly number[] | undefined;
  /** The axis of the classes; negative counts from the end. Default -1. */
  axis?: number | undefined;
  /** Divides both models' logits, which softens their probabilities; positive. Default 1. */
  temperature?: number | undefined;
  /**
   * `'batchMean'` (the default) divides by the size of the first axis, or by 1 if that is the only one, as in plain
   * numbers without `shape`, which are one row; `'mean'` divides by the number of rows; `'none'` gives a loss for each
   * row.
   */
  reduction?: BatchReduction | undefined;
  /** With reduction `'none'`, receives the losses of the rows; it must not overlap with any argument. */
  out?: RowsOut | undefined;
}

/** Options of {@link distillationWithGrad}. */
export interface DistillationWithGradOptions extends Omit<DistillationOptions, 'out'>, GradOptions {}

const OPTIONS: OptionNames<DistillationOptions> = {
  shape: true,
  axis: true,
  temperature: true,
  reduction: true,
  out: true,
};
const GRAD_OPTIONS: OptionNames<DistillationWithGradOptions> = { ...OPTIONS, gradOutput: true, accumulate: true };

const KERNEL = /* @__PURE__ */ defineKernel(distillationKernel, reference);
const REDUCTIONS: readonly BatchReduction[] = ['batchMean', 'mean', 'sum', 'none'];
const THREE_BLOCKS = { transposedBlocks: 3 };

interface DistillationGiven extends LossOptions {
  axis?: unknown;
  temperature?: unknown;
}

function runDistillation(withGrad: boolean, studentLogits: unknown, teacherLogits: unknown, options: unknown): unknown {
  const call = openCall(withGrad ? 'distillationWithGrad' : 'distillation');
  const { arena } = call.runtime;
  const student = readArgument(call, 'studentLogits', studentLogits);
  const teacher = readArgument(call, 'teacherLogits', teacherLogits, student.elementBytes);
  const names = withGrad ? GRAD_OPTIONS : OPTIONS;
  const given = readOptions<DistillationGiven & { out?: unknown }>(call.operation, options, names);
  const { out } = given;
  const to = readResult(call, student, out, withGrad ? student.half : undefined);
  const { reduction, gradOutput, accumulate, temperature, axis, shape: sizes } = given;
  const shape = readSizes(call, student, sizes);
  const others = { reduction, gradOutput, accumulate, temperature, shape, axis };
  if (student.kind === undefined && isFastLike(arena, teacher, student)) {
    const fast = openFastLoss(arena, { withGrad, reductions: REDUCTIONS }, student, out, to, others);
    const result = fast && distillFast(call, fast, teacher, others);
    if (result !== undefined) return result;
  }
  const input = operandOf(call, 'studentLogits', studentLogits, student);
  const target = operandOf(call, 'teacherLogits', teacherLogits, teacher);
  const place = resultOf(call, student, out, to, withGrad ? student.half : undefined);
  return distillOperands(call, withGrad, input, target, place, others);
}

/** The same on the fast path; undefined for any other call. */
function distillFast(
  { runtime, operation }: Call,
  fast: FastLoss,
  target: FastArgument,
  given: Given<DistillationGiven>,
): unknown {
  const { arena } = runtime;
  const { x, to } = fast;
  const { elementBytes } = x;
  const n = rowLength(x, given.shape, given.axis);
  const fits = n * elementBytes <= OPERAND_SCRATCH - FAST_SUM_BYTES;
  if (n === 0 || x.size === 0 || !fits || (to !== undefined && overlap(to, target))) return undefined;
  const outer = x.size / n;
  const temperature = readTemperature(operation, given.temperature, elementBytes);
  const compute = runtime.kernel(KERNEL, elementBytes, operation);
  const student = addressOf(arena, x, 1);
  const teacher = addressOf(arena, target, 2);
  return runFastLoss(arena, fast, outer, ({ losses, gradient, scale, gradOutput, sum }) =>
    compute({
      student,
      teacher,
      losses,
      gradient,
      outer,
      n,
      inner: 1,
      temperature,
      scale,
      gradOutput,
      sum,
      scratch: arena.kernelScratch,
      buffer: arena.operandScratch + FAST_SUM_BYTES,
    }),
  );
}

/** The same for any arguments, of which no option but `out` was checked. */
function distillOperands(
  call: Call,
  withGrad: boolean,
  input: Operand,
  target: Operand,
  out: Operand | undefined,
  given: Given<DistillationGiven>,
): unknown {
  const { runtime, operation } = call;
  const { elementBytes } = input;
  const lossCall = readLoss(call, { withGrad, reductions: REDUCTIONS }, input, out, given);
  const temperature = readTemperature(operation, given.temperature, elementBytes);
  const rows = readRows(operation, input, given);
  settle(call);
  checkLikeness(operation, target, input);
  checkResults(lossCall, rows.count, 'row');
  if (input.length === 0) return emptyLoss(lossCall, rows, rows.count);

  const compute = runtime.kernel(KERNEL, elementBytes, operation);
  const { run } = runtime;
  const { n } = rows;
  run.open(operation, rows, elementBytes, THREE_BLOCKS);
  const buffer = run.reserve(n * elementBytes);
  const student = run.input(input);
  const teacher = run.input(target);
  return runLoss(
    lossCall,
    rows,
    rows.count,
    addRowGradOutput(lossCall),
    ({ losses, gradient, scale, gradOutput, sum }) =>
      compute({
        student: run.at(student),
        teacher: run.at(teacher),
        losses,
        gradient,
        outer: run.outer,
        n,
        inner: run.inner,
        temperature,
        scale,
        gradOutput,
        sum,
        scratch: run.scratch,
        buffer,
      }),
  );
}

/**
 * Knowledge distillation: T² · KL(softmax(teacher / T) ‖ softmax(student / T)) along an axis, how far a student's
 * softened probabilities are from a teacher's. The factor T² keeps the size of the gradients roughly the same at any
 * temperature.
 *
 * Both arguments are logits: the softmax is inside. Rows that hold NaN or +∞, or only -∞, give NaN; a class to which
 * the teacher gives probability 0 contributes 0. Equal logits give 0. Formula: Hinton, Vinyals and Dean, Distilling the
 * knowledge in a neural network, 2015.
 *
 * @param studentLogits shape [..., classes], or any shape with `axis`.
 * @param teacherLogits logits of the same shape and dtype.
 * @returns a number; with reduction `'none'`, a loss for each row.
 * @throws TypeError for an argument of the wrong type, RangeError for a wrong shape, length or value. Nothing is
 * written then.
 *
 * @example
 * distillation([2.0, 1.0, 0.1], [3.0, 1.0, 0.2]); // 0.079
 * @example
 * distillation([2.0, 1.0, 0.1], [3.0, 1.0, 0.2], { temperature: 2 }); // 0.112
 */
export function distillation<X extends Input, const O extends DistillationOptions | undefined = NoOptions>(
  studentLogits: X,
  teacherLogits: Input,
  ...options: OptionsArgument<O, DistillationOptions>
): LossResult<X, O>;
export function distillation(studentLogits: unknown, teacherLogits: unknown, options?: unknown): unknown {
  return runDistillation(false, studentLogits, teacherLogits, options);
}

/**
 * {@link distillation} and its gradient with respect to the student's logits, in one pass: T · (softmax(student / T) −
 * softmax(teacher / T)), divided by what the loss is divided by. `out` may be the student's logits.
 *
 * @returns the loss, and the gradient in the same kind of array or tensor as the student's logits, or in `out`.
 * @throws as {@link distillation}.
 *
 * @example
 * const { loss, grad } = distillationWithGrad([2.0, 1.0, 0.1], [3.0, 1.0, 0.2]);
 * loss; // 0.079
 * grad; // Float32Array [-0.177, 0.129, 0.048]
 */
export function distillationWithGrad<
  X extends Input,
  const O extends DistillationWithGradOptions | undefined = NoOptions,
>(
  studentLogits: X,
  teacherLogits: Input,
  ...options: OptionsArgument<O, DistillationWithGradOptions>
): GradResult<X, O>;
export function distillationWithGrad(studentLogits: unknown, teacherLogits: unknown, options?: unknown): unknown {
  return runDistillation(true, studentLogits, teacherLogits, options);
}
