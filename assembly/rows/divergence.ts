// The divergence of two rows, and its gradient.

import { finishFour, reduceFour, storeFour } from "../math/exp-four";
import { PARTIAL_BYTES, laneRounding, logitScale, widen } from "../math/sum";
import { SLOT_TOTAL, UNWANTED } from "../scratch";
import { madd, nmadd } from "../simd/arch";
import { laneMax, laneSum, lanes, splatAt } from "../simd/lanes";
import { rangeHolds, rangeJoin, rangeStart, rangeStep, signMask } from "../simd/range";
import { e0, e1, e2, e3 } from "../simd/registers";
import { loadTail, storeTail, tailMask } from "../simd/tail";
import { expTerms, finishTwo, slotOf, storeSlot } from "./logsum";
import { clearSubnormal } from "./scale";

/** The maxima of two rows of 8 elements or more, in two lanes; NaN unless every |element| is at most limit. */
export function maximaInRange(x: usize, y: usize, n: usize, limit: f32): v128 {
  const bound = f32x4.splat(limit), sign = signMask<f32>(), last = (n << 2) - 32;
  let x0 = f32x4.splat(-Infinity), x1 = x0, y0 = x0, y1 = x0, xRange = rangeStart<f32>(), yRange = xRange;
  // The last step begins where the row has eight elements left, of which some were seen before.
  for (let at: usize = 0; ; at = min(at + 32, last)) {
    const v0 = v128.load(x + at), v1 = v128.load(x + at, 16), w0 = v128.load(y + at), w1 = v128.load(y + at, 16);
    x0 = f32x4.pmax(x0, v0);
    x1 = f32x4.pmax(x1, v1);
    y0 = f32x4.pmax(y0, w0);
    y1 = f32x4.pmax(y1, w1);
    xRange = rangeStep<f32>(rangeStep<f32>(xRange, v0, sign, bound), v1, sign, bound);
    yRange = rangeStep<f32>(rangeStep<f32>(yRange, w0, sign, bound), w1, sign, bound);
    if (at == last) break;
  }
  if (!rangeHolds<f32>(rangeJoin<f32>(xRange, yRange), bound)) return f64x2.splat(NaN);
  const xMax = laneMax<f32>(f32x4.pmax(x0, x1)), yMax = laneMax<f32>(f32x4.pmax(y0, y1));
  return f64x2.replace_lane(f64x2.splat(<f64>xMax), 1, <f64>yMax);
}

/**
 * e^(x / t) and e^(y / t) of two rows of f32 in range, and Σ p ((x − xMax) − (y − yMax)), p = softmax(x / t), in one loop.
 * Returns the divergence; the log-sums are in the first two slots. If ey is not 0, ex and ey receive the exponentials;
 * ey may be x or y.
 */
export function rowsExpDivergence(
  x: usize, ex: usize, y: usize, ey: usize, n: usize, maxima: v128, scratch: usize
): f64 {
  const xMax = <f32>f64x2.extract_lane(maxima, 0), yMax = <f32>f64x2.extract_lane(maxima, 1);
  const xm = splatAt<f32>(scratch + UNWANTED, xMax), ym = splatAt<f32>(scratch + UNWANTED, yMax);
  const rest = n % 4, end = x + (n - rest) * 4, fours = x + ((end - x) & ~63);
  const zero = f32x4.splat(0), step: usize = ey ? 64 : 0;
  let xSums = f64x2.splat(0), ySums = xSums, dots = xSums, xFew = zero, yFew = zero;
  let xHeld = zero, yHeld = zero;
  let p = x, o = y, q = ey ? ex : scratch + UNWANTED, r = ey ? ey : scratch + UNWANTED;
  // Sums as in rows/logsum.ts. Exponentials that nobody wants are stored all the same: without a store in between the
  // compiler would load the elements once, for their exponentials and for their differences, and run out of registers.
  for (; p < fours; p += 64, o += 64, q += step, r += step) {
    reduceFour(2, p, 16, scratch);
    finishFour(false, scratch);
    storeFour(q, 16);
    const xPartial = f32x4.add(f32x4.add(e0, e1), f32x4.add(e2, e3));
    xFew = f32x4.add(xFew, f32x4.pmin(xHeld, xPartial));
    xHeld = f32x4.pmax(xHeld, xPartial);
    const low = madd<f32>(e1, difference(p + 16, o + 16, xm, ym), f32x4.mul(e0, difference(p, o, xm, ym)));
    const high = madd<f32>(e3, difference(p + 48, o + 48, xm, ym), f32x4.mul(e2, difference(p + 32, o + 32, xm, ym)));
    dots = f64x2.add(dots, widen<f32>(f32x4.add(low, high)));
    reduceFour(2, o, 16, scratch);
    finishFour(false, scratch);
    storeFour(r, 16);
    const yPartial = f32x4.add(f32x4.add(e0, e1), f32x4.add(e2, e3));
    yFew = f32x4.add(yFew, f32x4.pmin(yHeld, yPartial));
    yHeld = f32x4.pmax(yHeld, yPartial);
    if (((p - x) & 192) == 192) {
      xSums = f64x2.add(xSums, widen<f32>(xFew));
      ySums = f64x2.add(ySums, widen<f32>(yFew));
      xFew = zero;
      yFew = zero;
    }
  }
  let xPartial = zero, yPartial = zero, partial = zero;
  for (; p < end; p += 16, o += 16) {
    const d = difference(p, o, xm, ym);
    const e = expTerms<f32>(v128.load(p), scratch), f = expTerms<f32>(v128.load(o), scratch);
    if (ey) {
      v128.store(q, e);
      v128.store(r, f);
      q += 16;
      r += 16;
    }
    xPartial = f32x4.add(xPartial, e);
    yPartial = f32x4.add(yPartial, f);
    partial = madd<f32>(e, d, partial);
  }
  let xOthers = laneSum<f64>(f64x2.add(xSums, widen<f32>(f32x4.add(xFew, f32x4.pmin(xHeld, xPartial)))));
  let yOthers = laneSum<f64>(f64x2.add(ySums, widen<f32>(f32x4.add(yFew, f32x4.pmin(yHeld, yPartial)))));
  xHeld = f32x4.pmax(xHeld, xPartial);
  yHeld = f32x4.pmax(yHeld, yPartial);
  let dot = laneSum<f64>(f64x2.add(dots, widen<f32>(partial)));
  if (rest) {
    const v = loadTail<f32>(p, rest), w = loadTail<f32>(o, rest), inside = tailMask<f32>(rest);
    const e = v128.and(expTerms<f32>(v, scratch), inside), f = v128.and(expTerms<f32>(w, scratch), inside);
    if (ey) {
      storeTail<f32>(q, e, rest);
      storeTail<f32>(r, f, rest);
    }
    xOthers += laneSum<f32>(f32x4.pmin(xHeld, e));
    yOthers += laneSum<f32>(f32x4.pmin(yHeld, f));
    xHeld = f32x4.pmax(xHeld, e);
    yHeld = f32x4.pmax(yHeld, f);
    dot += laneSum<f32>(f32x4.mul(e, f32x4.sub(f32x4.sub(v, xm), f32x4.sub(w, ym))));
  }
  const ofX = slotOf(0, scratch), ofY = slotOf(1, scratch);
  storeSlot<f32>(ofX, x, ey ? ex : 0, n, <f64>xMax, xOthers, 0, xHeld);
  storeSlot<f32>(ofY, y, ey, n, <f64>yMax, yOthers, 0, yHeld);
  finishTwo<f32>(ofX, ofY, scratch);
  return dot / load<f64>(ofX, SLOT_TOTAL);
}

/** (x − xMax) − (y − yMax) of a vector. */
// @ts-ignore: decorator
@inline
function difference(x: usize, y: usize, xMax: v128, yMax: v128): v128 {
  return f32x4.sub(f32x4.sub(v128.load(x), xMax), f32x4.sub(v128.load(y), yMax));
}

/**
 * Σ p ((x − xMax) − (y − yMax)) / LOGIT_DIVISOR, p = e · factor; where p is 0 the term is 0 even if x or y is infinite
 * or NaN. Nearly equal rows cancel element by element, before anything is added.
 */
export function rowDivergence<T>(e: usize, factor: T, x: usize, xMax: T, y: usize, yMax: T, n: usize): f64 {
  clearSubnormal<T>(e, n, factor);
  const f = v128.splat<T>(factor), narrow = logitScale<T>(), zero = v128.splat<T>(0);
  const xm = nmadd<T>(v128.splat<T>(xMax), narrow, zero), ym = nmadd<T>(v128.splat<T>(yMax), narrow, zero);
  const rest = n % lanes<T>(), end = e + (n - rest) * sizeof<T>();
  let sums = v128.splat<f64>(0), lost = sums;
  while (e < end) {
    const partialEnd = min(end, e + PARTIAL_BYTES);
    let partial = zero;
    for (; e < partialEnd; e += 16, x += 16, y += 16) {
      const p = v128.mul<T>(v128.load(e), f);
      const difference = v128.sub<T>(madd<T>(v128.load(x), narrow, xm), madd<T>(v128.load(y), narrow, ym));
      partial = v128.add<T>(partial, v128.andnot(v128.mul<T>(p, difference), v128.eq<T>(p, zero)));
    }
    const terms = widen<T>(partial), total = f64x2.add(sums, terms);
    if (sizeof<T>() == 8) lost = f64x2.add(lost, laneRounding(sums, terms, total));
    sums = total;
  }
  let sum = laneSum<f64>(sums);
  if (rest) {
    const p = v128.mul<T>(loadTail<T>(e, rest), f);
    const xTail = madd<T>(loadTail<T>(x, rest), narrow, xm), yTail = madd<T>(loadTail<T>(y, rest), narrow, ym);
    const difference = v128.sub<T>(xTail, yTail);
    const term = v128.andnot(v128.mul<T>(p, difference), v128.eq<T>(p, zero));
    sum += laneSum<T>(v128.and(term, tailMask<T>(rest)));
  }
  return sizeof<T>() == 8 && isFinite(sum) ? sum + laneSum<f64>(lost) : sum;
}

/** y = x · factor − e · other; x may be y. Unrolled by four: V8 inserts a stack check per iteration. */
export function rowDifference<T>(x: usize, factor: T, e: usize, other: T, y: usize, n: usize): void {
  const f = v128.splat<T>(factor), o = v128.splat<T>(other);
  const rest = n % lanes<T>(), end = x + (n - rest) * sizeof<T>();
  for (const fours = x + ((end - x) & ~63); x < fours; x += 64, e += 64, y += 64) {
    v128.store(y, nmadd<T>(v128.load(e), o, v128.mul<T>(v128.load(x), f)));
    v128.store(y, nmadd<T>(v128.load(e, 16), o, v128.mul<T>(v128.load(x, 16), f)), 16);
    v128.store(y, nmadd<T>(v128.load(e, 32), o, v128.mul<T>(v128.load(x, 32), f)), 32);
    v128.store(y, nmadd<T>(v128.load(e, 48), o, v128.mul<T>(v128.load(x, 48), f)), 48);
  }
  for (; x < end; x += 16, e += 16, y += 16) {
    v128.store(y, nmadd<T>(v128.load(e), o, v128.mul<T>(v128.load(x), f)));
  }
  if (rest) storeTail<T>(y, nmadd<T>(loadTail<T>(e, rest), o, v128.mul<T>(loadTail<T>(x, rest), f)), rest);
}
