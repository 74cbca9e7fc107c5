// softmax: y_i = e^(x_i / t) / Σ e^(x_j / t) for each problem of [outer, n, inner]; 0 where the mask, if any, does not
// keep x_i, and for a problem of which it keeps nothing.
//
// Rows take two passes in one loop: while a row is exponentiated, the row before it is divided by its sum. Values are
// taken to be in the fast range and checked on the way; a row that is not is done again in the careful form, and when
// x is y, where it could not be, the check goes first. Of a masked row only its span is computed; one that has holes is
// divided by its sum at once. Tiles: gather, exponentiate, divide and scatter. A short row all by itself, which most
// calls of one prediction are, has singleExp in rows/exp.ts.
// x may be y. n or outer · inner may be 0. mask: a record of mask.ts, or 0.

import { tileExp, tileExpColumns } from "../blocks/exp";
import { gather, scatter } from "../blocks/gather";
import { maskTile } from "../blocks/mask";
import { tileKeep } from "../blocks/scale";
import { checkProblems } from "../contracts";
import { keptSpan, placeOf, spanEnd, spanIsSolid, spanStart, startSpans } from "../mask";
import { FAST, fastLimit, softmaxExp } from "../math/exp";
import { coefficient, ln2HighOf, log2eOver, magicNumber, prepareExp } from "../math/exp-table";
import { SUM_BLOCK, laneRounding, wide } from "../math/sum";
import { rowExpCareful, rowExpKept, singleExp } from "../rows/exp";
import { rowInRange, rowMax, rowMaxKept } from "../rows/reduce";
import { rowFill, rowFillOutside, rowScale } from "../rows/scale";
import { FACTOR, HEADER_BYTES } from "../scratch";
import { TILE, addressOf, columnsOf, problemsOfTile, usesRows } from "../shape";
import { laneSum, lanes } from "../simd/lanes";
import { rangeHolds, rangeStart, rangeStep, signMask } from "../simd/range";
import { loadTail, storeTail, tailMask } from "../simd/tail";

export function softmax<T>(
  x: usize, y: usize, outer: usize, n: usize, inner: usize, temperature: f64, scratch: usize, mask: usize
): void {
  checkProblems<T>(x, y, outer * n * inner, outer * n * inner, temperature, scratch);
  prepareExp<T>(temperature, scratch);
  if (usesRows<T>(n, inner)) rows<T>(x, y, outer, n, temperature, scratch, mask);
  else if (sizeof<T>() == 8 || outer * inner != 1 || mask || !single<T>(x, y, n, temperature, scratch)) {
    tiles<T>(x, y, outer, n, inner, temperature, scratch, mask);
  }
}

/** A short row all by itself. Returns whether it is done: it is left to the tiles where it is not in the fast range. */
function single<T>(x: usize, y: usize, n: usize, t: f64, scratch: usize): bool {
  const row = scratch + HEADER_BYTES;
  const factor = singleExp<T>(x, row, n, t, scratch);
  if (factor == 0) return false;
  rowScale<T>(row, y, n, factor);
  return true;
}

function tiles<T>(
  x: usize, y: usize, outer: usize, n: usize, inner: usize, t: f64, scratch: usize, mask: usize
): void {
  const tile = scratch + HEADER_BYTES;
  const limit = fastLimit<T>(t);
  let problems: usize = 0, inside = true;
  for (let first: usize = 0; first < outer * inner; first += problems) {
    problems = problemsOfTile<T>(first, outer, inner);
    const columns = columnsOf<T>(problems);
    // Whole tiles of columns are taken to be in the fast range, until one is not. f64 gains nothing by it.
    if (sizeof<T>() == 4 && inside && !mask && inner > 1 && problems == TILE<T>()) {
      inside = tileExpColumns(addressOf<T>(x, n, inner, first), inner * sizeof<T>(), tile, n, t, scratch);
      if (inside) {
        scatter<T>(tile, y, n, inner, first, problems, scratch);
        continue;
      }
    }
    let form = gather<T>(x, n, inner, first, problems, tile, limit);
    inside = form == FAST;
    if (mask) form = maskTile<T>(tile, n, first, problems, mask, t, scratch);
    tileExp<T>(tile, n, columns, form, t, scratch);
    if (mask) tileKeep(FACTOR, columns, scratch);
    scatter<T>(tile, y, n, inner, first, problems, scratch);
  }
}

function rows<T>(x: usize, y: usize, count: usize, n: usize, temperature: f64, scratch: usize, mask: usize): void {
  const log2e = log2eOver<T>(scratch), magic = magicNumber<T>(scratch), high = ln2HighOf<T>(scratch);
  const c5 = coefficient<T>(5, scratch), c4 = coefficient<T>(4, scratch), c3 = coefficient<T>(3, scratch);
  const c2 = coefficient<T>(2, scratch), c1 = coefficient<T>(1, scratch);
  const limit = fastLimit<T>(temperature), bound = v128.splat<T>(limit), sign = signMask<T>();
  // What is yet to be divided by its sum: nothing, or what is kept of a row that begins there.
  let pending: usize = 0, pendingEnd: usize = 0, pendingStart: usize = 0;
  let factor = v128.splat<T>(0);
  let inside = true;
  startSpans(scratch);
  for (let row: usize = 0; row < count; row++, x += n * sizeof<T>(), y += n * sizeof<T>()) {
    let start: usize = 0, end = n;
    if (mask) {
      keptSpan(mask, row, x, n, sizeof<T>(), scratch);
      start = spanStart(scratch);
      end = spanEnd(scratch);
      rowFill<T>(y, start, 0);
    }
    const from = x + start * sizeof<T>(), to = y + start * sizeof<T>(), toEnd = y + end * sizeof<T>();
    if (start == end) {
      rowFill<T>(to, n - end, 0);
      continue;
    }
    const fromEnd = x + end * sizeof<T>();
    const solid = !mask || spanIsSolid(scratch);
    // Both rows share the loop when they begin in the same place; behind the shorter one there are only zeros.
    if (pending && start != pendingStart) {
      rowScale<T>(pending, pending, (pendingEnd - pending) / sizeof<T>(), v128.extract_lane<T>(factor, 0));
      pending = 0;
    }
    // A row outside the range is likely to be followed by another: then, too, the check goes first.
    if (solid && (x == y || !inside)) inside = rowInRange<T>(from, end - start, limit);
    let p = from, q = to, z = pending ? pending : to;
    let sums = v128.splat<f64>(0), lost = sums;
    while (solid && inside && p < fromEnd) {
      const blockEnd = min(fromEnd, p + SUM_BLOCK<T>() * sizeof<T>());
      let block = v128.splat<f64>(0), range = rangeStart<T>();
      // Four vectors at a time, so that the engine has one branch for them. The stores come last, those to this row behind
      // those to the row before, which is this one when none is pending.
      for (const fours = p + ((blockEnd - p) & ~63); p < fours; p += 64, q += 64, z += 64) {
        const v0 = v128.load(p), e0 = softmaxExp<T>(FAST, v0, scratch, log2e, magic, high, c5, c4, c3, c2, c1);
        const v1 = v128.load(p, 16), e1 = softmaxExp<T>(FAST, v1, scratch, log2e, magic, high, c5, c4, c3, c2, c1);
        const v2 = v128.load(p, 32), e2 = softmaxExp<T>(FAST, v2, scratch, log2e, magic, high, c5, c4, c3, c2, c1);
        const v3 = v128.load(p, 48), e3 = softmaxExp<T>(FAST, v3, scratch, log2e, magic, high, c5, c4, c3, c2, c1);
        range = rangeStep<T>(rangeStep<T>(range, v0, sign, bound), v1, sign, bound);
        range = rangeStep<T>(rangeStep<T>(range, v2, sign, bound), v3, sign, bound);
        v128.store(z, v128.mul<T>(v128.load(z), factor));
        v128.store(z, v128.mul<T>(v128.load(z, 16), factor), 16);
        v128.store(z, v128.mul<T>(v128.load(z, 32), factor), 32);
        v128.store(z, v128.mul<T>(v128.load(z, 48), factor), 48);
        v128.store(q, e0);
        v128.store(q, e1, 16);
        v128.store(q, e2, 32);
        v128.store(q, e3, 48);
        block = f64x2.add(f64x2.add(block, wide<T>(v128.add<T>(e0, e1))), wide<T>(v128.add<T>(e2, e3)));
      }
      while (p < blockEnd) {
        const pairEnd = min(blockEnd, p + 32);
        let pair = v128.splat<T>(0);
        while (p < pairEnd) {
          const count = min((pairEnd - p) / sizeof<T>(), lanes<T>()), whole = count == lanes<T>();
          const v = whole ? v128.load(p) : loadTail<T>(p, count);
          const e = softmaxExp<T>(FAST, v, scratch, log2e, magic, high, c5, c4, c3, c2, c1);
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
        block = f64x2.add(block, wide<T>(pair));
      }
      inside = rangeHolds<T>(range, bound);
      const next = f64x2.add(sums, block);
      if (sizeof<T>() == 8) lost = f64x2.add(lost, laneRounding(sums, block, next));
      sums = next;
    }
    if (pending && z < pendingEnd) {
      rowScale<T>(z, z, (pendingEnd - z) / sizeof<T>(), v128.extract_lane<T>(factor, 0));
    }
    pending = 0;
    // Memory behind the caches likes to be written in order: what is not kept comes last.
    if (end < n) rowFill<T>(toEnd, n - end, 0);
    if (solid && inside) {
      pending = to;
      pendingEnd = toEnd;
      pendingStart = start;
      factor = v128.splat<T>(<T>(1.0 / laneSum<f64>(f64x2.add(sums, lost))));
    } else careful<T>(x, y, n, start, end, temperature, scratch, mask, row);
  }
  if (pending) rowScale<T>(pending, pending, (pendingEnd - pending) / sizeof<T>(), v128.extract_lane<T>(factor, 0));
}

/** A row, from start to end, that has holes or is not in the fast range. */
function careful<T>(
  x: usize, y: usize, n: usize, start: usize, end: usize, t: f64, scratch: usize, mask: usize, row: usize
): void {
  const from = x + start * sizeof<T>(), to = y + start * sizeof<T>(), length = end - start;
  const bytes = mask && !spanIsSolid(scratch) ? placeOf(mask, row, 1) + start : 0;
  let total: f64 = NaN;
  // In f32 alone, for the size of the module.
  if (sizeof<T>() == 4 && bytes && x != y) total = rowExpKept<T>(from, to, bytes, length, fastLimit<T>(t), scratch);
  if (isNaN(total)) {
    const maximum = bytes ? rowMaxKept<T>(from, bytes, length) : rowMax<T>(from, length);
    total = rowExpCareful<T>(from, to, bytes, length, maximum, t, scratch);
  }
  const factor = <T>(1.0 / total);
  rowScale<T>(to, to, length, factor);
  // NaN, where nothing finite is kept, all along the row.
  if (!isFinite<T>(factor)) rowFillOutside<T>(y, n, start, end, <T>NaN);
}
