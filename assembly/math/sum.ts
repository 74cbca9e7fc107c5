// How terms are added up: a few to a partial sum in lanes, partial sums in float64 or with compensation.
//
// Exponentials of a softmax in f32: of each eight elements, i and i + 4 (neighbouring vectors) are added as a pair, and
// the pairs in float64. The sum is then off by at most half an ULP of each pair, its reciprocal and the product with
// that round once each, and the results add up to 1 within 3 · 2^-24 = 1.8e-7 for any row. One more addition in f32
// would make that 4 · 2^-24, and a search finds rows of 252 elements that come to 3.8 · 2^-24, because terms exist that
// all round the same way. Up to F32_TERMS elements are added in f32 throughout: 3.25 · 2^-24 at most, because no two of
// the roundings are at their worst together.
//
// Logarithms have bounds of 10 · 2^-24. Rows add sixteen vectors in f32 lanes (a tree of four, then four of these), which
// is off by 5 · 2^-24 at most, and blocks four lines. All other sums in f32, those of losses and of gradients, add four
// vectors to a partial sum in lanes and the partial sums in float64: next to a term that outweighs the others every
// addition may be off by half a unit in that term's last place, always in the same direction, and bounds of 8 · 2^-24
// leave room for three such additions.
//
// f64: the bounds of probabilities are 6 · 2^-52 and more, so 32 elements are added in lanes, and the rest with
// compensation. Other sums add every partial sum with compensation.

import { madd } from "../simd/arch";
import { promoteHigh, promoteLow } from "../simd/lanes";

/** Elements of a row whose exponentials make a chunk of a softmax. f32 needs no end of it, but checks the range there. */
// @ts-ignore: decorator
@inline
export function SUM_CHUNK<T>(): usize {
  return sizeof<T>() == 4 ? 256 : 32;
}

/** The most exponentials of a row of f32 that are added in f32 throughout. */
export const F32_TERMS: usize = 3;

/** Bytes of a partial sum of anything else. */
export const PARTIAL_BYTES: usize = 64;

/** Lines of a block that make a partial sum. */
export const PARTIAL_LINES: usize = 4;
/**
 * Up to so many lines the partial sums of exponentials, or of a dot product, are added without float64 or compensation.
 */
export const EXP_PLAIN_LINES: usize = PARTIAL_LINES * PARTIAL_LINES;
export const DOT_PLAIN_LINES: usize = 2 * PARTIAL_LINES;

/**
 * Sums of differences of logits are computed on logits divided by this: they could overflow although, after the
 * temperature, the result does not, as long as targets times weights of a row add up to at most 32. Only subnormal
 * numbers lose digits.
 */
export const LOGIT_DIVISOR: f64 = 64;

/** 1 / LOGIT_DIVISOR */
// @ts-ignore: decorator
@inline
export function logitScale<T>(): v128 {
  return v128.splat<T>(<T>(1 / LOGIT_DIVISOR));
}

/** The sum of a vector's lanes, in two lanes of float64. */
// @ts-ignore: decorator
@inline
export function widen<T>(v: v128): v128 {
  return sizeof<T>() == 4 ? f64x2.add(promoteLow(v), promoteHigh(v)) : v;
}

/** What total = a + b lost in rounding (Knuth's two-sum); for f32 elements it does not matter, and is 0. */
// @ts-ignore: decorator
@inline
export function roundingOf<T>(a: f64, b: f64, total: f64): f64 {
  if (sizeof<T>() == 4) return 0;
  const added = total - a;
  return (a - (total - added)) + (b - added);
}

/** What total = a + b lost in rounding, lane by lane (Knuth's two-sum). */
// @ts-ignore: decorator
@inline
export function laneRounding(a: v128, b: v128, total: v128): v128 {
  const added = f64x2.sub(total, a);
  return f64x2.add(f64x2.sub(a, f64x2.sub(total, added)), f64x2.sub(b, added));
}

/** A term of a sum: of x, or of x · y; `dot` is a literal. */
// @ts-ignore: decorator
@inline
export function loadTerm<T>(dot: bool, x: usize, y: usize, at: usize): v128 {
  return dot ? v128.mul<T>(v128.load(x + at), v128.load(y + at)) : v128.load(x + at);
}

/** sum + such a term. */
// @ts-ignore: decorator
@inline
export function addTerm<T>(dot: bool, x: usize, y: usize, at: usize, sum: v128): v128 {
  return dot ? madd<T>(v128.load(x + at), v128.load(y + at), sum) : v128.add<T>(sum, v128.load(x + at));
}
