// softmax: y_i = e^(x_i / t) / Σ e^(x_j / t) for each row of [outer, n, inner]; 0 where a mask does not keep x_i, and
// for rows of which it keeps nothing.
//
// Long rows take two passes in one loop: while a row is exponentiated, the row before it is divided by its sum. The
// kernel assumes |x / t| ≤ RANGE, verifies it while computing, and recomputes the row with max subtraction if the check
// fails; in place (x is y), where it could not recompute, it checks first. Of a masked row only the kept range is
// computed; a row with a sparse mask is divided by its sum at once. Short rows: rows/short.ts, as long as they are in
// range. Strided rows, too: tiles of blocks/exp.ts. Other rows: gather a block, exponentiate, divide and scatter.
// Probabilities of f32 that would be subnormal are 0 (simd/subnormal.ts): a row that may have some is not divided in the
// next row's loop.
// x may be y. n or outer · inner may be 0. mask: a descriptor (mask.ts), or 0.

import { blockExp, tileSoftmax } from "../../blocks/exp";
import { gather, scatter } from "../../blocks/gather";
import { maskBlock } from "../../blocks/mask";
import { clearEmptyRows } from "../../blocks/scale";
import { checkRows, scratchBytes } from "../../contracts";
import { findKeptRange, isDense, keptEnd, keptStart, operandAddress, startKeptRanges } from "../../mask";
import { SOFTMAX_STEPS, UNSHIFTED, normalLimit, softmaxExp, unshiftedLimit } from "../../math/exp";
import { finishFour, reduceFour, storeFour } from "../../math/exp-four";
import { coefficient, ln2HighOf, log2eOver, magicNumber, prepareExp } from "../../math/exp-table";
import { SUM_CHUNK, laneRounding, widen } from "../../math/sum";
import { rowExpKept, rowExpMaxShifted } from "../../rows/exp";
import { rowInRange, rowMax, rowMaxKept } from "../../rows/reduce";
import { clearSubnormal, rowFill, rowFillOutside, rowScale } from "../../rows/scale";
import { SHORT_ROWS, shortRows } from "../../rows/short";
import { FACTOR, HEADER_BYTES, LINE_BYTES, ROW_LINES, TILE_LINES } from "../../scratch";
import { BLOCK_ROWS, addressOf, columnsOf, rowsInBlock, usesRowForm } from "../../shape";
import { FUSED } from "../../simd/arch";
import { laneSum, lanes } from "../../simd/lanes";
import { rangeHolds, rangeOfFour, rangeStart, rangeStep, signMask } from "../../simd/range";
import { e0, e1, e2, e3 } from "../../simd/registers";
import { loadTail, storeTail, tailMask } from "../../simd/tail";

export function softmax<T>(
  x: usize, y: usize, outer: usize, n: usize, inner: usize, temperature: f64, scratch: usize, mask: usize
): void {
  checkRows<T>(x, y, outer * n * inner, outer * n * inner, temperature, scratch, scratchBytes(n, inner));
  prepareExp<T>(temperature, scratch);
  if (usesRowForm<T>(n, inner)) rowForm<T>(x, y, outer, n, temperature, scratch, mask);
  else if (sizeof<T>() == 4 && inner == 1 && n > 1 && !mask) shortForm(x, y, outer, n, temperature, scratch);
  else blockForm<T>(x, y, outer, n, inner, temperature, scratch, mask);
}

/** Short contiguous rows of f32. */
function shortForm(x: usize, y: usize, count: usize, n: usize, t: f64, scratch: usize): void {
  let inside = true;
  for (let rows: usize = 0; count; count -= rows, x += rows * n * 4, y += rows * n * 4) {
    rows = min(SHORT_ROWS, count);
    // Rows out of range are likely to be followed by others: then the check goes first.
    if (!inside) inside = rowInRange<f32>(x, rows * n, normalLimit(t, n));
    if (inside) inside = shortRows(x, y, rows, n, t, scratch);
    if (!inside) blockForm<f32>(x, y, rows, n, 1, t, scratch, 0);
  }
}

function blockForm<T>(
  x: usize, y: usize, outer: usize, n: usize, inner: usize, t: f64, scratch: usize, mask: usize
): void {
  const block = scratch + HEADER_BYTES;
  const limit = unshiftedLimit<T>(t);
  let rows: usize = 0, inside = true;
  for (let first: usize = 0; first < outer * inner; first += rows) {
    rows = rowsInBlock<T>(first, outer, inner);
    const columns = columnsOf<T>(rows);
    // Strided rows are assumed to be in range until some are not. f64 gains nothing by it.
    if (sizeof<T>() == 4 && inside && !mask && inner > 1 && rows == BLOCK_ROWS<T>()) {
      const width = tileWidth(inner - (first % inner), n);
      const at = addressOf<T>(0, n, inner, first);
      inside = tileSoftmax(x + at, y + at, inner * sizeof<T>(), n, width, t, scratch);
      if (inside) {
        rows = width / sizeof<T>();
        continue;
      }
    }
    let form = gather<T>(x, n, inner, first, rows, block, limit);
    inside = form == UNSHIFTED;
    if (mask) form = maskBlock<T>(block, n, first, rows, mask, t, scratch);
    blockExp<T>(block, n, columns, form, t, scratch);
    if (mask) clearEmptyRows(FACTOR, columns, scratch);
    scatter<T>(block, y, n, inner, first, rows, scratch);
  }
}

/** Bytes of a line in a tile of so many rows at most, of n elements each: as many as scratch has room for. */
// @ts-ignore: decorator
@inline
function tileWidth(rows: usize, n: usize): usize {
  const lines = min(TILE_LINES, min(rows / BLOCK_ROWS<f32>(), ROW_LINES / max<usize>(1, n)));
  return max<usize>(1, lines) * LINE_BYTES;
}

function rowForm<T>(x: usize, y: usize, count: usize, n: usize, temperature: f64, scratch: usize, mask: usize): void {
  const log2e = log2eOver<T>(scratch), magic = magicNumber<T>(scratch), high = ln2HighOf<T>(scratch);
  const c5 = coefficient<T>(5, scratch), c4 = coefficient<T>(4, scratch), c3 = coefficient<T>(3, scratch);
  const c2 = coefficient<T>(2, scratch), c1 = coefficient<T>(1, scratch);
  const limit = unshiftedLimit<T>(temperature), bound = v128.splat<T>(limit), sign = signMask<T>();
  const normal = f32x4.splat(normalLimit(temperature, n));
  // What is yet to be divided by its sum: nothing (0), or the kept range of the row before, from pending to pendingEnd.
  let pending: usize = 0, pendingEnd: usize = 0, pendingStart: usize = 0;
  let factor = v128.splat<T>(0);
  let inside = true;
  startKeptRanges(scratch);
  for (let row: usize = 0; row < count; row++, x += n * sizeof<T>(), y += n * sizeof<T>()) {
    let start: usize = 0, end = n;
    if (mask) {
      findKeptRange(mask, row, x, n, sizeof<T>(), scratch);
      start = keptStart(scratch);
      end = keptEnd(scratch);
      rowFill<T>(y, start, 0);
    }
    const from = x + start * sizeof<T>(), to = y + start * sizeof<T>(), toEnd = y + end * sizeof<T>();
    if (start == end) {
      rowFill<T>(to, n - end, 0);
      continue;
    }
    const fromEnd = x + end * sizeof<T>();
    const dense = !mask || isDense(scratch);
    // Two rows share the loop if their ranges begin at the same element; behind the shorter one there are only zeros.
    if (pending && start != pendingStart) {
      rowScale<T>(pending, pending, (pendingEnd - pending) / sizeof<T>(), v128.extract_lane<T>(factor, 0));
      pending = 0;
    }
    // A row out of range is likely to be followed by another: then, too, the check goes first.
    if (dense && (x == y || !inside)) inside = rowInRange<T>(from, end - start, limit);
    let p = from, q = to, z = pending ? pending : to;
    let sums = v128.splat<f64>(0), lost = sums, isNormal = true;
    while (dense && inside && p < fromEnd) {
      const chunkEnd = min(fromEnd, p + SUM_CHUNK<T>() * sizeof<T>());
      let chunk = v128.splat<f64>(0), range = rangeStart<T>();
      if (sizeof<T>() == 4) {
        // Side by side; x is loaded again for its range, for there are no registers to keep it. The stores come last,
        // those to this row after those to the row before, which is this row if none is pending.
        for (const fours = p + ((chunkEnd - p) & ~63); p < fours; p += 64, q += 64, z += 64) {
          reduceFour(SOFTMAX_STEPS<f32>(), p, 16, scratch);
          range = rangeOfFour(range, p, 16, bound);
          finishFour(FUSED, scratch);
          v128.store(z, f32x4.mul(v128.load(z), factor));
          v128.store(z, f32x4.mul(v128.load(z, 16), factor), 16);
          v128.store(z, f32x4.mul(v128.load(z, 32), factor), 32);
          v128.store(z, f32x4.mul(v128.load(z, 48), factor), 48);
          storeFour(q, 16);
          chunk = f64x2.add(f64x2.add(chunk, widen<T>(f32x4.add(e0, e1))), widen<T>(f32x4.add(e2, e3)));
        }
      }
      while (p < chunkEnd) {
        const pairEnd = min(chunkEnd, p + 32);
        let pair = v128.splat<T>(0);
        while (p < pairEnd) {
          const count = min((pairEnd - p) / sizeof<T>(), lanes<T>()), whole = count == lanes<T>();
          const v = whole ? v128.load(p) : loadTail<T>(p, count);
          const e = softmaxExp<T>(UNSHIFTED, v, scratch, log2e, magic, high, c5, c4, c3, c2, c1);
          range = rangeStep<T>(range, v, sign, bound);
          if (whole) {
            v128.store(z, v128.mul<T>(v128.load(z), factor));
            v128.store(q, e);
          } else {
            storeTail<T>(z, v128.mul<T>(loadTail<T>(z, count), factor), count);
            storeTail<T>(q, e, count);
          }
          pair = v128.add<T>(pair, v128.and(e, tailMask<T>(count)));
          const bytes = count * sizeof<T>();
          p += bytes;
          q += bytes;
          z += bytes;
        }
        chunk = f64x2.add(chunk, widen<T>(pair));
      }
      inside = rangeHolds<T>(range, bound);
      isNormal = isNormal && (sizeof<T>() == 8 || rangeHolds<T>(range, normal));
      const next = f64x2.add(sums, chunk);
      if (sizeof<T>() == 8) lost = f64x2.add(lost, laneRounding(sums, chunk, next));
      sums = next;
    }
    if (pending && z < pendingEnd) {
      rowScale<T>(z, z, (pendingEnd - z) / sizeof<T>(), v128.extract_lane<T>(factor, 0));
    }
    pending = 0;
    // What the next row's loop multiplies by this it overwrites, but a product may be subnormal, and slow.
    factor = v128.splat<T>(0);
    // Memory is written in order, which is faster outside of the caches: what is not kept comes last.
    if (end < n) rowFill<T>(toEnd, n - end, 0);
    if (dense && inside) {
      const reciprocal = <T>(1.0 / laneSum<f64>(f64x2.add(sums, lost)));
      if (isNormal) {
        pending = to;
        pendingEnd = toEnd;
        pendingStart = start;
        factor = v128.splat<T>(reciprocal);
      } else scaleNormal<T>(to, end - start, reciprocal);
    } else rowInPasses<T>(x, y, n, start, end, temperature, scratch, mask, row);
  }
  if (pending) rowScale<T>(pending, pending, (pendingEnd - pending) / sizeof<T>(), v128.extract_lane<T>(factor, 0));
}

/** The kept range of a row that has a sparse mask or is out of range. */
function rowInPasses<T>(
  x: usize, y: usize, n: usize, start: usize, end: usize, t: f64, scratch: usize, mask: usize, row: usize
): void {
  const from = x + start * sizeof<T>(), to = y + start * sizeof<T>(), length = end - start;
  const bytes = mask && !isDense(scratch) ? operandAddress(mask, row, 1) + start : 0;
  let total: f64 = NaN;
  // f32 only, for the size of the module.
  if (sizeof<T>() == 4 && bytes && x != y) {
    total = rowExpKept<T>(from, to, bytes, length, unshiftedLimit<T>(t), scratch);
  }
  if (isNaN(total)) {
    const maximum = bytes ? rowMaxKept<T>(from, bytes, length) : rowMax<T>(from, length);
    total = rowExpMaxShifted<T>(from, to, bytes, length, maximum, t, scratch);
  }
  const factor = <T>(1.0 / total);
  scaleNormal<T>(to, length, factor);
  // If nothing finite is kept, the whole row is NaN.
  if (!isFinite<T>(factor)) rowFillOutside<T>(y, n, start, end, <T>NaN);
}

/** y = y · factor; for f32, 0 where that would be subnormal. */
function scaleNormal<T>(y: usize, n: usize, factor: T): void {
  clearSubnormal<T>(y, n, factor);
  rowScale<T>(y, y, n, factor);
}
