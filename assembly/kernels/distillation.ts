// Distillation: t² · Σ p (log p − log q) of each problem of [outer, n, inner], p = softmax(teacher / t) and
// q = softmax(student / t), and in the same pass its gradient t · (q − p) with respect to the student.
//
// With maxima m and sums s of e^((x − m) / t), log p − log q = ((x − m) − (y − m′)) / t − (log s − log s′), and Σ p = 1:
// the loss is t (Σ p ((x − m) − (y − m′)) − t (log s − log s′)), 0 for equal rows to the last digit.
//
// Passes over a row: the maxima; e^teacher into the buffer; the sum above; e^student, stored as the gradient to be; the
// gradient. Without a gradient (0) e^student is not stored. A p of 0 counts 0, whatever the student has there.
// losses: T for each problem, or 0 to add them in order to the sum. rowScales: T for each, or 0. buffer: n elements.
// gradient may be the student or the teacher; no result overlaps with any other operand. The gradient is times scale, and
// times the problem's own of rowScales.
// Error: 4 · 2^-23 (f64: 2^-52) of t² · Σ p (|log p| + |log q|). Where that overflows, as t² alone may, so may the loss.
// A probability or its logarithm below the normal numbers may count as 0, even where t would make more of it.

import { tileDifference, tileDivergence, tileOffsets } from "../blocks/divergence";
import { gather, scatter } from "../blocks/gather";
import { tileExpLogSum, tileLogSum } from "../blocks/logsum";
import { tileMaxima } from "../blocks/reduce";
import { faintLimit, isFaint, tileFactors } from "../blocks/scale";
import { checkArray, checkOperand, checkResults, checkSameOrApart, checkTemperature } from "../contracts";
import { elementOrOne, emit } from "../loss";
import { fastLimit } from "../math/exp";
import { prepareExp } from "../math/exp-table";
import { WIDE } from "../math/sum";
import { rowDifference, rowDivergence } from "../rows/divergence";
import { logSumOf, maximumOf, rowExpLogSum, rowLogSum } from "../rows/logsum";
import { rowMax } from "../rows/reduce";
import { rowFactor } from "../rows/scale";
import { FACTOR, GRADIENT_SCALE, HEADER_BYTES, LINE_BYTES, LOG_SUM, ROW_TOTAL, TARGET_DOT, TEACHER } from "../scratch";
import { columnsOf, problemsOfTile, usesRows } from "../shape";

export function distillation<T>(
  student: usize, teacher: usize, losses: usize, gradient: usize, outer: usize, n: usize, inner: usize, temperature: f64,
  scale: f64, gradOutput: usize, sum: usize, scratch: usize, buffer: usize
): void {
  const problems = outer * inner, elements = problems * n, bytes = elements * sizeof<T>();
  checkResults<T>(losses, problems, gradient, elements, sum, scratch);
  checkArray<T>(student, elements);
  checkArray<T>(teacher, elements);
  checkSameOrApart(student, bytes, losses, problems * sizeof<T>());
  checkSameOrApart(teacher, bytes, losses, problems * sizeof<T>());
  checkSameOrApart(student, bytes, gradient, bytes);
  checkSameOrApart(teacher, bytes, gradient, bytes);
  checkOperand<T, T>(gradOutput, problems, losses, problems, gradient, elements);
  checkOperand<T, T>(buffer, n, losses, problems, gradient, elements);
  checkTemperature(temperature);
  prepareExp<T>(temperature, scratch);
  if (usesRows<T>(n, inner)) {
    rows<T>(student, teacher, losses, gradient, outer, n, temperature, scale, gradOutput, sum, scratch, buffer);
  } else {
    prepareExp<T>(temperature, scratch + TEACHER);
    tiles<T>(student, teacher, losses, gradient, outer, n, inner, temperature, scale, gradOutput, sum, scratch);
  }
}

function rows<T>(
  student: usize, teacher: usize, losses: usize, gradient: usize, count: usize, n: usize, t: f64, scale: f64,
  rowScales: usize, sum: usize, scratch: usize, buffer: usize
): void {
  const bytes = n * sizeof<T>(), wide = t * WIDE, narrow = t / WIDE;
  for (let row: usize = 0; row < count; row++, student += bytes, teacher += bytes, gradient += gradient ? bytes : 0) {
    const ofTeacher = rowExpLogSum<T>(teacher, buffer, n, t, scratch);
    const teacherTotal = load<f64>(scratch, ROW_TOTAL), teacherFactor = 1 / teacherTotal;
    const studentMax = rowMax<T>(student, n);
    const teacherMax = <T>maximumOf(ofTeacher);
    const dot = rowDivergence<T>(buffer, <T>teacherFactor, teacher, teacherMax, student, studentMax, n);
    const ofStudent = gradient
      ? rowExpLogSum<T>(student, gradient, n, t, scratch)
      : rowLogSum<T>(student, n, t, scratch);
    emit<T>(losses, sum, row, wide * (dot - narrow * (logSumOf(ofTeacher) - logSumOf(ofStudent))));
    if (!gradient) continue;
    const s = t * scale * elementOrOne<T>(rowScales, row);
    const total = load<f64>(scratch, ROW_TOTAL);
    const studentFactor = rowFactor<T>(gradient, n, s / total, s, total);
    const other = rowFactor<T>(buffer, n, s * teacherFactor, s, teacherTotal);
    rowDifference<T>(gradient, studentFactor, buffer, other, gradient, n);
  }
}

function tiles<T>(
  student: usize, teacher: usize, losses: usize, gradient: usize, outer: usize, n: usize, inner: usize, t: f64,
  scale: f64, rowScales: usize, sum: usize, scratch: usize
): void {
  const studentTile = scratch + HEADER_BYTES, teacherTile = studentTile + n * LINE_BYTES;
  const offsets = teacherTile + n * LINE_BYTES, teacherScratch = scratch + TEACHER;
  const wide = t * WIDE, narrow = t / WIDE;
  const faintest = faintLimit(n), limit = fastLimit<T>(t);
  let problems: usize = 0;
  for (let first: usize = 0; first < outer * inner; first += problems) {
    problems = problemsOfTile<T>(first, outer, inner);
    const columns = columnsOf<T>(problems);
    const studentForm = gather<T>(student, n, inner, first, problems, studentTile, limit);
    const teacherForm = gather<T>(teacher, n, inner, first, problems, teacherTile, limit);
    tileMaxima<T>(studentTile, n, columns, studentForm, scratch);
    tileMaxima<T>(teacherTile, n, columns, teacherForm, teacherScratch);
    tileOffsets<T>(teacherTile, studentTile, offsets, n, columns, teacherScratch, scratch);
    tileExpLogSum<T>(teacherTile, n, columns, teacherForm, t, teacherScratch);
    tileDivergence<T>(teacherTile, offsets, n, columns, teacherScratch);
    if (gradient) tileExpLogSum<T>(studentTile, n, columns, studentForm, t, scratch);
    else tileLogSum<T>(studentTile, n, columns, studentForm, t, scratch);
    let faint: u32 = 0;
    for (let i: usize = 0; i < problems; i++) {
      const at = i * sizeof<T>();
      const logs = <f64>load<T>(teacherScratch + at, LOG_SUM) - <f64>load<T>(scratch + at, LOG_SUM);
      const loss = wide * (load<f64>(teacherScratch + (i << 3), TARGET_DOT) - narrow * logs);
      emit<T>(losses, sum, first + i, n ? loss : 0);
      if (!gradient) continue;
      const s = t * scale * elementOrOne<T>(rowScales, first + i);
      if (isFaint<T>(s, faintest)) {
        store<f64>(teacherScratch + (i << 3), s, GRADIENT_SCALE);
        store<f64>(scratch + (i << 3), s, GRADIENT_SCALE);
        faint |= 1 << <u32>i;
      } else {
        store<T>(teacherScratch + at, <T>(s * <f64>load<T>(teacherScratch + at, FACTOR)), FACTOR);
        store<T>(scratch + at, <T>(s * <f64>load<T>(scratch + at, FACTOR)), FACTOR);
      }
    }
    if (!gradient) continue;
    if (sizeof<T>() == 4 && faint) {
      tileFactors(teacherTile, n, faint, teacherScratch);
      tileFactors(studentTile, n, faint, scratch);
    }
    tileDifference<T>(studentTile, teacherTile, n, columns, scratch, teacherScratch);
    scatter<T>(studentTile, gradient, n, inner, first, problems, scratch);
  }
}
