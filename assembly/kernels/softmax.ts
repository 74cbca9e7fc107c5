// softmax: y_i = e^(x_i / t) / Σ e^(x_j / t) for each problem of [outer, n, inner].
//
// Rows take two passes in one loop: while a row is exponentiated, the row before it is divided by its sum. Values are
// taken to be in the fast range and checked on the way; a row that is not is done again in the careful form, and when
// x is y, where it could not be, the check goes first. Tiles: gather, exponentiate, divide and scatter.
// x may be y. n or outer · inner may be 0.

import {
  coefficient, fastExp, fastLimit, ln2HighOf, log2eOver, magicNumber, prepareExp
} from "../math/exp";
import { checkProblems } from "../primitives/check";
import { BLOCK, CHAIN_BYTES, rowExpCareful, rowInRange, rowMax, rowScale, roundingOf, usesRows } from "../primitives/row";
import { HEADER_BYTES, columnsOf, gather, problemsOfTile, scatter, tileExp } from "../primitives/tile";
import { laneSum, lanes, loadTail, storeTail, tailMask } from "../simd/lanes";
import { rangeHolds, rangeStart, rangeStep, signMask } from "../simd/range";

function softmax<T>(x: usize, y: usize, outer: usize, n: usize, inner: usize, t: f64, scratch: usize): void {
  checkProblems<T>(x, y, outer * n * inner, outer * n * inner, t, scratch);
  prepareExp<T>(t, scratch);
  if (!usesRows<T>(n, inner)) tiles<T>(x, y, outer, n, inner, t, scratch);
  else rows<T>(x, y, outer, n, t, scratch);
}

function tiles<T>(x: usize, y: usize, outer: usize, n: usize, inner: usize, t: f64, scratch: usize): void {
  const tile = scratch + HEADER_BYTES;
  const limit = fastLimit<T>(t);
  let problems: usize = 0;
  for (let first: usize = 0; first < outer * inner; first += problems) {
    problems = problemsOfTile<T>(first, outer, inner);
    const fast = gather<T>(x, n, inner, first, problems, tile, limit);
    tileExp<T>(tile, n, columnsOf<T>(problems), fast, t, scratch);
    scatter<T>(tile, y, n, inner, first, problems, scratch);
  }
}

function rows<T>(x: usize, y: usize, count: usize, n: usize, temperature: f64, scratch: usize): void {
  const log2e = log2eOver<T>(scratch), magic = magicNumber<T>(scratch), high = ln2HighOf<T>(scratch);
  const c5 = coefficient<T>(5, scratch), c4 = coefficient<T>(4, scratch), c3 = coefficient<T>(3, scratch);
  const c2 = coefficient<T>(2, scratch), c1 = coefficient<T>(1, scratch);
  const limit = fastLimit<T>(temperature), bound = v128.splat<T>(limit), mask = signMask<T>();
  const bytes = n * sizeof<T>(), rest = n % lanes<T>(), whole = bytes - rest * sizeof<T>();
  let pending = y; // the row that is yet to be divided by its sum; y itself when there is none
  let factor = v128.splat<T>(0);
  let inside = true;
  for (let end = x + count * bytes; x < end; x += bytes, y += bytes) {
    // A row outside the range is likely to be followed by another: then, too, the check goes first.
    if (x == y || !inside) inside = rowInRange<T>(x, n, limit);
    let p = x, q = y, z = pending, sum: f64 = 0, lost: f64 = 0;
    for (const wholeEnd = x + whole; inside && p < wholeEnd; ) {
      const blockEnd = min(wholeEnd, p + BLOCK * sizeof<T>());
      let block = v128.splat<T>(0), range = rangeStart<T>();
      while (p < blockEnd) {
        const chainEnd = min(blockEnd, p + CHAIN_BYTES);
        let s = v128.splat<T>(0);
        for (; p < chainEnd; p += 16, q += 16, z += 16) {
          const v = v128.load(p);
          const e = fastExp<T>(v, scratch, log2e, magic, high, c5, c4, c3, c2, c1);
          v128.store(z, v128.mul<T>(v128.load(z), factor));
          v128.store(q, e);
          s = v128.add<T>(s, e);
          range = rangeStep<T>(range, v, mask, bound);
        }
        block = v128.add<T>(block, s);
      }
      inside = rangeHolds<T>(range, bound);
      const part = laneSum<T>(block), total = sum + part;
      lost += roundingOf<T>(sum, part, total);
      sum = total;
    }
    if (inside && rest) {
      const v = loadTail<T>(p, rest);
      const e = fastExp<T>(v, scratch, log2e, magic, high, c5, c4, c3, c2, c1);
      storeTail<T>(z, v128.mul<T>(loadTail<T>(z, rest), factor), rest);
      storeTail<T>(q, e, rest);
      sum += laneSum<T>(v128.and(e, tailMask<T>(rest)));
      inside = rangeHolds<T>(rangeStep<T>(rangeStart<T>(), v, mask, bound), bound);
      z += rest * sizeof<T>();
    }
    if (inside) {
      pending = y;
      factor = v128.splat<T>(<T>(1.0 / (sum + lost)));
    } else {
      if (pending < y) rowScale<T>(z, z, (pending + bytes - z) / sizeof<T>(), v128.extract_lane<T>(factor, 0));
      const total = rowExpCareful<T>(x, y, n, rowMax<T>(x, n), temperature, scratch);
      rowScale<T>(y, y, n, <T>(1.0 / total));
      pending = y + bytes;
    }
  }
  if (pending < y) rowScale<T>(pending, pending, n, v128.extract_lane<T>(factor, 0));
}

export function softmax_f32(x: usize, y: usize, outer: usize, n: usize, inner: usize, t: f64, scratch: usize): void {
  softmax<f32>(x, y, outer, n, inner, t, scratch);
}

export function softmax_f64(x: usize, y: usize, outer: usize, n: usize, inner: usize, t: f64, scratch: usize): void {
  softmax<f64>(x, y, outer, n, inner, t, scratch);
}
