// How exponentials are added up.
//
// For a softmax in f32 neighbours are added in pairs, and the pairs one after another in float64. Neighbours are vectors
// of a row, rows of a tile, elements of a single row. Then the sum is off by half an ULP of each pair, its reciprocal and
// the product with that round once each, and the results add up to 1 within 3 · 2^-24 = 1.8e-7, whatever the row. One more
// addition in f32 makes it 4 · 2^-24, and a search finds rows of 252 that come to 3.8: terms can be such that all of them
// round the same way.
// FEW (tile.ts) elements are added in f32 throughout: 3.25 · 2^-24 at most, for no two of the roundings are at their
// worst together.
//
// Logarithms and gradients have bounds of 10 and 8 · 2^-24. In rows they add sixteen vectors in f32 lanes (a tree of four,
// then four of these), which are off by 5 · 2^-24 at most; in tiles four rows.
//
// f64: bounds are 8 · 2^-52 and more; 16 to 32 elements are added in lanes, the rest with compensation.

import { promoteHigh, promoteLow } from "../simd/lanes";

/** Elements of a row in a block of two float64 lanes. f32 needs no end of it, but looks at the range there. */
// @ts-ignore: decorator
@inline
export function SUM_BLOCK<T>(): usize {
  return sizeof<T>() == 4 ? 256 : 32;
}

/** The sum of a vector's lanes in two lanes of float64. */
// @ts-ignore: decorator
@inline
export function wide<T>(v: v128): v128 {
  return sizeof<T>() == 4 ? f64x2.add(promoteLow(v), promoteHigh(v)) : v;
}

/** What total = a + b lost in rounding, lane by lane (Knuth's two-sum). */
// @ts-ignore: decorator
@inline
export function laneRounding(a: v128, b: v128, total: v128): v128 {
  const added = f64x2.sub(total, a);
  return f64x2.add(f64x2.sub(a, f64x2.sub(total, added)), f64x2.sub(b, added));
}
