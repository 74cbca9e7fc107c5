// Distillation: t² · Σ p (log p − log q) of each row of [outer, n, inner], p = softmax(teacher / t) and
// q = softmax(student / t), and in the same pass its gradient t · (q − p) with respect to the student.
//
// With maxima m and sums s of e^((x − m) / t), log p − log q = ((x − m) − (y − m′)) / t − (log s − log s′), and Σ p =
// 1: the loss is t (Σ p ((x − m) − (y − m′)) − t (log s − log s′)), exactly 0 for equal rows.
//
// Passes over a row: the maxima; e^teacher into the buffer; the sum above; e^student, stored in place of the gradient;
// the gradient. Without a gradient (0) e^student is not stored. Where p is 0 the term is 0, whatever the student has
// there.
// losses: T for each row, or 0 to add them in order to the f64 at sum. gradOutput: T for each row, or 0. buffer: n
// elements. gradient may be the student or the teacher; no result overlaps with any other operand. The gradient is
// multiplied by scale and the row's gradOutput.
// Error: 4 · 2^-23 (f64: 2^-52) of t² · Σ p (|log p| + |log q|). If that overflows, which t² may do alone, so may the
// loss. A subnormal probability or logarithm may count as 0, even where t would make it normal again.

import { blockDifference, blockDivergence, blockOffsets } from "../../blocks/divergence";
import { gather, scatter } from "../../blocks/gather";
import { blockExpLogSum, blockLogSum } from "../../blocks/logsum";
import { blockMaxima } from "../../blocks/reduce";
import { blockFactors, mayUnderflow, underflowLimit } from "../../blocks/scale";
import { checkArray, checkOperand, checkOutside, checkResults, checkSameOrApart, checkTemperature, scratchBytes } from "../../contracts";
import { elementOrOne, storeLoss } from "../../loss";
import { unshiftedLimit } from "../../math/exp";
import { prepareExp } from "../../math/exp-table";
import { LOGIT_DIVISOR } from "../../math/sum";
import { rowDifference, rowDivergence } from "../../rows/divergence";
import { logSumOf, maximumOf, rowExpLogSum, rowLogSum } from "../../rows/logsum";
import { rowMax } from "../../rows/reduce";
import { rowFactor } from "../../rows/scale";
import { FACTOR, GRADIENT_SCALE, HEADER_BYTES, LINE_BYTES, LOG_SUM, ROW_TOTAL, TARGET_DOT, TEACHER } from "../../scratch";
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
  const bytes = n * sizeof<T>(), wide = t * LOGIT_DIVISOR, narrow = t / LOGIT_DIVISOR;
  for (let row: usize = 0; row < count; row++, student += bytes, teacher += bytes, gradient += gradient ? bytes : 0) {
    const ofTeacher = rowExpLogSum<T>(teacher, buffer, n, t, scratch);
    const teacherTotal = load<f64>(scratch, ROW_TOTAL), teacherFactor = 1 / teacherTotal;
    const studentMax = rowMax<T>(student, n);
    const teacherMax = <T>maximumOf(ofTeacher);
    const dot = rowDivergence<T>(buffer, <T>teacherFactor, teacher, teacherMax, student, studentMax, n);
    const ofStudent = gradient
      ? rowExpLogSum<T>(student, gradient, n, t, scratch)
      : rowLogSum<T>(student, n, t, scratch);
    storeLoss<T>(losses, sum, row, wide * (dot - narrow * (logSumOf(ofTeacher) - logSumOf(ofStudent))));
    if (!gradient) continue;
    const s = t * scale * elementOrOne<T>(gradOutput, row);
    const total = load<f64>(scratch, ROW_TOTAL);
    const studentFactor = rowFactor<T>(gradient, n, s / total, s, total);
    const other = rowFactor<T>(buffer, n, s * teacherFactor, s, teacherTotal);
    rowDifference<T>(gradient, studentFactor, buffer, other, gradient, n);
  }
}

function blockForm<T>(
  student: usize, teacher: usize, losses: usize, gradient: usize, outer: usize, n: usize, inner: usize, t: f64,
  scale: f64, gradOutput: usize, sum: usize, scratch: usize
): void {
  const studentBlock = scratch + HEADER_BYTES, teacherBlock = studentBlock + n * LINE_BYTES;
  const offsets = teacherBlock + n * LINE_BYTES, teacherScratch = scratch + TEACHER;
  const wide = t * LOGIT_DIVISOR, narrow = t / LOGIT_DIVISOR;
  const underflowBelow = underflowLimit(n), limit = unshiftedLimit<T>(t);
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
    blockDivergence<T>(teacherBlock, offsets, n, columns, teacherScratch);
    if (gradient) blockExpLogSum<T>(studentBlock, n, columns, studentForm, t, scratch);
    else blockLogSum<T>(studentBlock, n, columns, studentForm, t, scratch);
    let underflows: u32 = 0;
    for (let i: usize = 0; i < rows; i++) {
      const at = i * sizeof<T>();
      const logs = <f64>load<T>(teacherScratch + at, LOG_SUM) - <f64>load<T>(scratch + at, LOG_SUM);
      const loss = wide * (load<f64>(teacherScratch + (i << 3), TARGET_DOT) - narrow * logs);
      storeLoss<T>(losses, sum, first + i, n ? loss : 0);
      if (!gradient) continue;
      const s = t * scale * elementOrOne<T>(gradOutput, first + i);
      if (mayUnderflow<T>(s, underflowBelow)) {
        store<f64>(teacherScratch + (i << 3), s, GRADIENT_SCALE);
        store<f64>(scratch + (i << 3), s, GRADIENT_SCALE);
        underflows |= 1 << <u32>i;
      } else {
        store<T>(teacherScratch + at, <T>(s * <f64>load<T>(teacherScratch + at, FACTOR)), FACTOR);
        store<T>(scratch + at, <T>(s * <f64>load<T>(scratch + at, FACTOR)), FACTOR);
      }
    }
    if (!gradient) continue;
    if (sizeof<T>() == 4 && underflows) {
      blockFactors(teacherBlock, n, underflows, teacherScratch);
      blockFactors(studentBlock, n, underflows, scratch);
    }
    blockDifference<T>(studentBlock, teacherBlock, n, columns, scratch, teacherScratch);
    scatter<T>(studentBlock, gradient, n, inner, first, rows, scratch);
  }
}
