// Distillation: t² · Σ p (log p − log q) of each problem of [outer, n, inner], p = softmax(teacher / t) and
// q = softmax(student / t), and in the same pass its gradient t · (q − p) with respect to the student.
//
// With maxima m and sums s of e^((x − m) / t), log p − log q = ((x − m) − (y − m′)) / t − (log s − log s′), and Σ p = 1:
// the loss is t · Σ p ((x − m) − (y − m′)) − t² (log s − log s′), 0 for equal rows to the last digit.
//
// Passes over a row: the maxima; e^teacher into the buffer; the sum above; e^student, stored as the gradient to be; the
// gradient. Without a gradient (0) e^student is not stored. A p of 0 counts 0, whatever the student has there.
// losses: T for each problem, or 0 to add them in order to the sum. rowScales: T for each, or 0. buffer: n elements.
// gradient may be the student or the teacher; no result overlaps with any other operand. The gradient is times scale, and times the problem's own of rowScales.
// Error: 4 · 2^-23 (f64: 2^-52) of t² · Σ p (|log p| + |log q|).

import { fastLimit, prepareExp } from "../math/exp";
import { checkArray, checkOperand, checkResults, checkSameOrApart, checkTemperature } from "../primitives/check";
import { rowDifference, rowDivergence, tileDifference, tileDivergence, tileOffsets } from "../primitives/divergence";
import { elementOrOne, emit } from "../primitives/loss";
import { TOTAL, logSumOf, maximumOf, rowExpLogSum, rowLogSum, rowMax, usesRows } from "../primitives/row";
import {
  FACTOR, HEADER_BYTES, LOG_SUM, TARGET_DOT, TILE_BYTES, columnsOf, gather, problemsOfTile, scatter, tileExpLogSum,
  tileLogSum, tileMaxima
} from "../primitives/tile";

/** Where the teacher's half of the scratch's header begins. */
const TEACHER: usize = HEADER_BYTES / 2;

function distillation<T>(
  student: usize, teacher: usize, losses: usize, gradient: usize, outer: usize, n: usize, inner: usize, t: f64,
  scale: f64, rowScales: usize, sum: usize, scratch: usize, buffer: usize
): void {
  const problems = outer * inner, elements = problems * n, bytes = elements * sizeof<T>();
  checkResults<T>(losses, problems, gradient, elements, sum, scratch);
  checkArray<T>(student, elements);
  checkArray<T>(teacher, elements);
  checkSameOrApart(student, bytes, losses, problems * sizeof<T>());
  checkSameOrApart(teacher, bytes, losses, problems * sizeof<T>());
  checkSameOrApart(student, bytes, gradient, bytes);
  checkSameOrApart(teacher, bytes, gradient, bytes);
  checkOperand<T, T>(rowScales, problems, losses, problems, gradient, elements);
  checkOperand<T, T>(buffer, n, losses, problems, gradient, elements);
  checkTemperature(t);
  prepareExp<T>(t, scratch);
  if (usesRows<T>(n, inner)) {
    rows<T>(student, teacher, losses, gradient, outer, n, t, scale, rowScales, sum, scratch, buffer);
  } else {
    prepareExp<T>(t, scratch + TEACHER);
    tiles<T>(student, teacher, losses, gradient, outer, n, inner, t, scale, rowScales, sum, scratch);
  }
}

function rows<T>(
  student: usize, teacher: usize, losses: usize, gradient: usize, count: usize, n: usize, t: f64, scale: f64,
  rowScales: usize, sum: usize, scratch: usize, buffer: usize
): void {
  const bytes = n * sizeof<T>();
  for (let row: usize = 0; row < count; row++, student += bytes, teacher += bytes, gradient += gradient ? bytes : 0) {
    const ofTeacher = rowExpLogSum<T>(teacher, buffer, n, t, scratch);
    const teacherFactor = 1 / load<f64>(scratch, TOTAL), studentMax = rowMax<T>(student, n);
    const dot = rowDivergence<T>(
      buffer, <T>teacherFactor, teacher, <T>maximumOf(ofTeacher), student, studentMax, n
    );
    const ofStudent = gradient
      ? rowExpLogSum<T>(student, gradient, n, t, scratch)
      : rowLogSum<T>(student, n, t, scratch);
    emit<T>(losses, sum, row, t * dot - t * t * (logSumOf(ofTeacher) - logSumOf(ofStudent)));
    if (!gradient) continue;
    const s = t * scale * elementOrOne<T>(rowScales, row);
    const studentFactor = s / load<f64>(scratch, TOTAL);
    rowDifference<T>(gradient, <T>studentFactor, buffer, <T>(s * teacherFactor), gradient, n);
  }
}

function tiles<T>(
  student: usize, teacher: usize, losses: usize, gradient: usize, outer: usize, n: usize, inner: usize, t: f64,
  scale: f64, rowScales: usize, sum: usize, scratch: usize
): void {
  const studentTile = scratch + HEADER_BYTES, teacherTile = studentTile + n * TILE_BYTES;
  const offsets = teacherTile + n * TILE_BYTES, teacherScratch = scratch + TEACHER;
  const limit = fastLimit<T>(t);
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
    for (let i: usize = 0; i < problems; i++) {
      const at = i * sizeof<T>();
      const logs = <f64>load<T>(teacherScratch + at, LOG_SUM) - <f64>load<T>(scratch + at, LOG_SUM);
      const loss = t * load<f64>(teacherScratch + (i << 3), TARGET_DOT) - t * t * logs;
      emit<T>(losses, sum, first + i, n ? loss : 0);
      const s = t * scale * elementOrOne<T>(rowScales, first + i);
      store<T>(teacherScratch + at, <T>(s * <f64>load<T>(teacherScratch + at, FACTOR)), FACTOR);
      if (gradient) store<T>(scratch + at, <T>(s * <f64>load<T>(scratch + at, FACTOR)), FACTOR);
    }
    if (!gradient) continue;
    tileDifference<T>(studentTile, teacherTile, n, columns, scratch, teacherScratch);
    scatter<T>(studentTile, gradient, n, inner, first, problems, scratch);
  }
}

export function distillation_f32(
  student: usize, teacher: usize, losses: usize, gradient: usize, outer: usize, n: usize, inner: usize, t: f64,
  scale: f64, rowScales: usize, sum: usize, scratch: usize, buffer: usize
): void {
  distillation<f32>(
    student, teacher, losses, gradient, outer, n, inner, t, scale, rowScales, sum, scratch, buffer
  );
}

export function distillation_f64(
  student: usize, teacher: usize, losses: usize, gradient: usize, outer: usize, n: usize, inner: usize, t: f64,
  scale: f64, rowScales: usize, sum: usize, scratch: usize, buffer: usize
): void {
  distillation<f64>(
    student, teacher, losses, gradient, outer, n, inner, t, scale, rowScales, sum, scratch, buffer
  );
}
