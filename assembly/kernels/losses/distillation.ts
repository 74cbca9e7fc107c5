// Distillation: t² · Σ p (log p − log q) of each row of [outer, n, inner], p = softmax(teacher / t) and
// q = softmax(student / t), and in the same pass its gradient t · (q − p) with respect to the student.
//
// With maxima m and sums s of e^((x − m) / t), log p − log q = ((x − m) − (y − m′)) / t − (log s − log s′), and Σ p =
// 1: the loss is t (Σ p ((x − m) − (y − m′)) − t (log s − log s′)), exactly 0 for equal rows.
//
// Passes over a row of f32: the maxima of both, which also says whether they are in range; e^teacher into the buffer, the
// sum above and e^student, stored in place of the gradient, in one loop; the gradient. Rows out of range and those of f64
// take a pass for each. Without a gradient (0) e^student is not kept. Where p is 0 the term is 0, whatever the student
// has there.
// losses: T for each row, or 0 to add them in order to the f64 at sum. gradOutput: T for each row, or 0. buffer: n
// elements. gradient may be the student or the teacher; no result overlaps with any other operand. The gradient is
// multiplied by scale and the row's gradOutput.
// Error: 4 · 2^-23 (f64: 2^-52) of t² · Σ p (|log p| + |log q|). If that overflows, which t² may do alone, so may the
// loss. A subnormal probability or logarithm may count as 0, even where t would make it normal again.

import { blockDifference, blockDivergence, blockOffsets } from "../../blocks/divergence";
import { gather, scatter } from "../../blocks/gather";
import { blockExpLogSum, blockLogSum } from "../../blocks/logsum";
import { blockMaxima } from "../../blocks/reduce";
import { blockFactors, clearSubnormalLanes, isSafeScale, smallestScale } from "../../blocks/scale";
import { checkArray, checkOperand, checkOutside, checkResults, checkSameOrApart, checkTemperature, scratchBytes } from "../../contracts";
import { elementOrOne, storeLoss } from "../../loss";
import { unshiftedLimit } from "../../math/exp";
import { prepareExp } from "../../math/exp-table";
import { LOGIT_DIVISOR } from "../../math/sum";
import { maximaInRange, rowDifference, rowDivergence, rowsExpDivergence } from "../../rows/divergence";
import { expSumRow, finishRows, logSumOf, maximumOf, slotOf, sumRow } from "../../rows/logsum";
import { rowMax } from "../../rows/reduce";
import { rowFactor } from "../../rows/scale";
import {
  FACTOR, GRADIENT_SCALE, HEADER_BYTES, LINE_BYTES, LOG_SUM, SLOT_TOTAL, TARGET_DOT, TEACHER
} from "../../scratch";
import { columnsOf, rowsInBlock, usesRowForm } from "../../shape";

export function distillation<T>(
  student: usize, teacher: usize, losses: usize, gradient: usize, outer: usize, n: usize, inner: usize,
  temperature: f64, scale: f64, gradOutput: usize, sum: usize, scratch: usize, buffer: usize
): void {
  const rows = outer * inner, elements = rows * n, bytes = elements * sizeof<T>(), size = scratchBytes(n, inner, 3);
  checkResults<T>(losses, rows, gradient, elements, sum, scratch, size);
  checkOutside(scratch, size, student, bytes);
  checkOutside(scratch, size, teacher, bytes);
  checkArray<T>(student, elements);
  checkArray<T>(teacher, elements);
  checkSameOrApart(student, bytes, losses, rows * sizeof<T>());
  checkSameOrApart(teacher, bytes, losses, rows * sizeof<T>());
  checkSameOrApart(student, bytes, gradient, bytes);
  checkSameOrApart(teacher, bytes, gradient, bytes);
  checkOperand<T, T>(gradOutput, rows, losses, rows, gradient, elements, scratch, size);
  checkOperand<T, T>(buffer, n, losses, rows, gradient, elements, scratch, size);
  checkTemperature(temperature);
  prepareExp<T>(temperature, scratch);
  if (usesRowForm<T>(n, inner)) {
    rowForm<T>(student, teacher, losses, gradient, outer, n, temperature, scale, gradOutput, sum, scratch, buffer);
  } else {
    prepareExp<T>(temperature, scratch + TEACHER);
    blockForm<T>(student, teacher, losses, gradient, outer, n, inner, temperature, scale, gradOutput, sum, scratch);
  }
}

function rowForm<T>(
  student: usize, teacher: usize, losses: usize, gradient: usize, count: usize, n: usize, t: f64, scale: f64,
  gradOutput: usize, sum: usize, scratch: usize, buffer: usize
): void {
  const bytes = n * sizeof<T>();
  for (let row: usize = 0; row < count; row++, student += bytes, teacher += bytes, gradient += gradient ? bytes : 0) {
    let loss: f64 = NaN;
    if (sizeof<T>() == 4) loss = lossInRange(student, teacher, gradient, n, t, scratch, buffer);
    if (isNaN(loss)) loss = lossInPasses<T>(student, teacher, gradient, n, t, scratch, buffer);
    storeLoss<T>(losses, sum, row, loss);
    if (!gradient) continue;
    const s = t * scale * elementOrOne<T>(gradOutput, row);
    const total = load<f64>(slotOf(1, scratch), SLOT_TOTAL), teacherTotal = load<f64>(slotOf(0, scratch), SLOT_TOTAL);
    const studentFactor = rowFactor<T>(gradient, n, s / total, s, total);
    const other = rowFactor<T>(buffer, n, s / teacherTotal, s, teacherTotal);
    rowDifference<T>(gradient, studentFactor, buffer, other, gradient, n);
  }
}

/**
 * A row's loss if both rows are in range, else NaN; with a gradient, e^x in it and in the buffer. The teacher's log-sum is
 * in the first slot, the student's in the second.
 */
function lossInRange(
  student: usize, teacher: usize, gradient: usize, n: usize, t: f64, scratch: usize, buffer: usize
): f64 {
  const maxima = maximaInRange(teacher, student, n, unshiftedLimit<f32>(t));
  if (isNaN(f64x2.extract_lane(maxima, 0))) return NaN;
  const divergence = rowsExpDivergence(teacher, buffer, student, gradient, n, maxima, scratch);
  return t * (divergence - t * (logSumOf(slotOf(0, scratch)) - logSumOf(slotOf(1, scratch))));
}

/** The same for any row. */
function lossInPasses<T>(
  student: usize, teacher: usize, gradient: usize, n: usize, t: f64, scratch: usize, buffer: usize
): f64 {
  const ofTeacher = slotOf(0, scratch), ofStudent = slotOf(1, scratch);
  expSumRow<T>(teacher, buffer, n, t, ofTeacher, scratch);
  finishRows<T>(ofTeacher, 1, t, scratch);
  const factor = <T>(1 / load<f64>(ofTeacher, SLOT_TOTAL)), maximum = rowMax<T>(student, n);
  const dot = rowDivergence<T>(buffer, factor, teacher, <T>maximumOf(ofTeacher), student, maximum, n);
  if (gradient) expSumRow<T>(student, gradient, n, t, ofStudent, scratch);
  else sumRow<T>(student, n, t, ofStudent, scratch);
  finishRows<T>(ofStudent, 1, t, scratch);
  return t * LOGIT_DIVISOR * (dot - t / LOGIT_DIVISOR * (logSumOf(ofTeacher) - logSumOf(ofStudent)));
}

function blockForm<T>(
  student: usize, teacher: usize, losses: usize, gradient: usize, outer: usize, n: usize, inner: usize, t: f64,
  scale: f64, gradOutput: usize, sum: usize, scratch: usize
): void {
  const studentBlock = scratch + HEADER_BYTES, teacherBlock = studentBlock + n * LINE_BYTES;
  const offsets = teacherBlock + n * LINE_BYTES, teacherScratch = scratch + TEACHER;
  const wide = t * LOGIT_DIVISOR, narrow = t / LOGIT_DIVISOR;
  const smallest = smallestScale<T>(n), limit = unshiftedLimit<T>(t);
  let rows: usize = 0;
  for (let first: usize = 0; first < outer * inner; first += rows) {
    rows = rowsInBlock<T>(first, outer, inner);
    const columns = columnsOf<T>(rows);
    const studentForm = gather<T>(student, n, inner, first, rows, studentBlock, limit);
    const teacherForm = gather<T>(teacher, n, inner, first, rows, teacherBlock, limit);
    blockMaxima<T>(studentBlock, n, columns, studentForm, scratch);
    blockMaxima<T>(teacherBlock, n, columns, teacherForm, teacherScratch);
    blockOffsets<T>(teacherBlock, studentBlock, offsets, n, columns, teacherScratch, scratch);
    blockExpLogSum<T>(teacherBlock, n, columns, teacherForm, t, teacherScratch);
    clearSubnormalLanes<T>(teacherBlock, n, columns, teacherScratch);
    blockDivergence<T>(teacherBlock, offsets, n, columns, teacherScratch);
    if (gradient) blockExpLogSum<T>(studentBlock, n, columns, studentForm, t, scratch);
    else blockLogSum<T>(studentBlock, n, columns, studentForm, t, scratch);
    let unsafe: u32 = 0;
    for (let i: usize = 0; i < rows; i++) {
      const at = i * sizeof<T>();
      const logs = <f64>load<T>(teacherScratch + at, LOG_SUM) - <f64>load<T>(scratch + at, LOG_SUM);
      const loss = wide * (load<f64>(teacherScratch + (i << 3), TARGET_DOT) - narrow * logs);
      storeLoss<T>(losses, sum, first + i, n ? loss : 0);
      if (!gradient) continue;
      const s = t * scale * elementOrOne<T>(gradOutput, first + i);
      if (isSafeScale<T>(s, smallest)) {
        store<T>(teacherScratch + at, <T>(s * <f64>load<T>(teacherScratch + at, FACTOR)), FACTOR);
        store<T>(scratch + at, <T>(s * <f64>load<T>(scratch + at, FACTOR)), FACTOR);
      } else {
        store<f64>(teacherScratch + (i << 3), s, GRADIENT_SCALE);
        store<f64>(scratch + (i << 3), s, GRADIENT_SCALE);
        unsafe |= 1 << <u32>i;
      }
    }
    if (!gradient) continue;
    if (unsafe) {
      blockFactors(sizeof<T>(), teacherBlock, n, unsafe, teacherScratch);
      blockFactors(sizeof<T>(), studentBlock, n, unsafe, scratch);
    }
    clearSubnormalLanes<T>(teacherBlock, n, columns, teacherScratch);
    clearSubnormalLanes<T>(studentBlock, n, columns, scratch);
    blockDifference<T>(studentBlock, teacherBlock, n, columns, scratch, teacherScratch);
    scatter<T>(studentBlock, gradient, n, inner, first, rows, scratch);
  }
}
