// The weights with which classes of a row are drawn, w = e^((x − maximum) / t), their sums, and the draw itself.
//
// w = 2^s with s = (x − maximum) · (log2 e / t), and 2^s = 2^n · p(r) with n the nearest integer and r = s − n, exactly.
// The largest weight is 1. Every multiplication and addition here rounds by itself in both builds, so that both draw the
// same classes. A multiply-add of simd/arch.ts would break that; scripts/build-wasm.mjs compares the two builds.
//
// As in a softmax, f32 weights are added in pairs, and the pairs in float64 (math/sum.ts).
// Only elements from a floor on have a weight; that of the others is 0. The floor is never so low that 2^n is subnormal.
// f32: weights are off by at most (3 + 3 |x − maximum| / t) · 2^-24, f64: (4 + 3 |x − maximum| / t) · 2^-53.

import { LN2, LOG2E, coefficient64 } from "../math/exp-table";
import { widen } from "../math/sum";
import { CHUNK_COUNT, CHUNK_SUMS, NEXT_ROW, TEMPORARY, WEIGHTS } from "../scratch";
import { laneSum, lanes, shiftLeft, addIntegers } from "../simd/lanes";
import { loadTail, storeTail, tailMask } from "../simd/tail";

// The parameters of a row in scratch: elements of T in this order.
const CENTRE: usize = 0; // the maximum
const RATE: usize = 1; // log2 e / t
const MAGIC: usize = 2; // 1.5 · 2^(mantissa bits)
const ONE: usize = 3;
const FIRST: usize = 4; // coefficients of p: ln 2, and for f32 those of r² to r^6

/** Writes the parameters of a row with this maximum. */
export function prepareWeights<T>(maximum: T, t: f64, scratch: usize): void {
  put<T>(scratch, CENTRE, maximum);
  put<T>(scratch, RATE, <T>(LOG2E / t));
  put<T>(scratch, MAGIC, sizeof<T>() == 4 ? <T>12582912.0 : <T>6755399441055744.0);
  put<T>(scratch, ONE, 1);
  put<T>(scratch, FIRST, <T>LN2);
  if (sizeof<T>() == 8) return;
  // The polynomial of math/exp-table.ts without FMA, in r · ln 2.
  put<T>(scratch, FIRST + 1, <T>(0.50000006 * LN2 * LN2));
  put<T>(scratch, FIRST + 2, <T>(0.166665167 * LN2 * LN2 * LN2));
  put<T>(scratch, FIRST + 3, <T>(0.0416668728 * LN2 * LN2 * LN2 * LN2));
  put<T>(scratch, FIRST + 4, <T>(0.00836851075 * LN2 * LN2 * LN2 * LN2 * LN2));
  put<T>(scratch, FIRST + 5, <T>(0.00138632965 * LN2 * LN2 * LN2 * LN2 * LN2 * LN2));
}

// @ts-ignore: decorator
@inline
function put<T>(scratch: usize, i: usize, value: T): void {
  store<T>(scratch + WEIGHTS + i * sizeof<T>(), value);
}

// @ts-ignore: decorator
@inline
function parameter<T>(scratch: usize, i: usize): v128 {
  return v128.load_splat<T>(scratch + WEIGHTS + i * sizeof<T>());
}

/** The weights of a vector; the other parameters are loaded where they are used, to avoid spills. */
// @ts-ignore: decorator
@inline
function weightOf<T>(x: v128, scratch: usize, centre: v128, rate: v128, magic: v128): v128 {
  const s = v128.mul<T>(v128.sub<T>(x, centre), rate), shifted = v128.add<T>(s, magic);
  const r = v128.sub<T>(s, v128.sub<T>(shifted, magic));
  return addIntegers<T>(powerOf<T>(r, scratch), shiftLeft<T>(shifted, sizeof<T>() == 4 ? 23 : 52));
}

/** 2^r, |r| ≤ ½ */
// @ts-ignore: decorator
@inline
function powerOf<T>(r: v128, scratch: usize): v128 {
  const one = parameter<T>(scratch, ONE), linear = v128.mul<T>(r, parameter<T>(scratch, FIRST));
  if (sizeof<T>() == 8) return f64x2.add(polynomial64(linear), one);
  const r2 = f32x4.mul(r, r);
  const high = plus<f32>(parameter<T>(scratch, FIRST + 4), r, parameter<T>(scratch, FIRST + 3));
  const low = plus<f32>(parameter<T>(scratch, FIRST + 2), r, parameter<T>(scratch, FIRST + 1));
  const q = plus<f32>(plus<f32>(parameter<T>(scratch, FIRST + 5), r2, high), r2, low);
  return f32x4.add(plus<f32>(q, r2, linear), one);
}

/** e^r − 1 */
// @ts-ignore: decorator
@inline
function polynomial64(r: v128): v128 {
  const r2 = f64x2.mul(r, r);
  let even = plus<f64>(coefficient64(6), r2, coefficient64(4));
  let odd = plus<f64>(coefficient64(7), r2, coefficient64(5));
  even = plus<f64>(plus<f64>(even, r2, coefficient64(2)), r2, coefficient64(0));
  odd = plus<f64>(plus<f64>(odd, r2, coefficient64(3)), r2, coefficient64(1));
  const q = plus<f64>(odd, r, even);
  return plus<f64>(plus<f64>(q, q, coefficient64(8)), r2, r);
}

/** a · b + c, rounded twice. */
// @ts-ignore: decorator
@inline
function plus<T>(a: v128, b: v128, c: v128): v128 {
  return v128.add<T>(v128.mul<T>(a, b), c);
}

/** The smallest number that is at most `distance` below the maximum. */
export function floorWithin<T>(maximum: T, distance: f64): T {
  const floor = <T>(<f64>maximum - distance);
  return <f64>maximum - <f64>floor > distance ? nextUp<T>(floor) : floor;
}

/** The next number above x, which is finite or −∞ but not −0. */
function nextUp<T>(x: T): T {
  if (sizeof<T>() == 4) return <T>reinterpret<f32>(reinterpret<i32>(<f32>x) + (x < 0 ? -1 : 1));
  return <T>reinterpret<f64>(reinterpret<i64>(<f64>x) + (x < 0 ? -1 : 1));
}

/** The lowest floor: weights from there on are normal numbers. */
export function lowestFloor<T>(maximum: T, t: f64): T {
  return floorWithin<T>(maximum, (sizeof<T>() == 4 ? 86.0 : 706.0) * t);
}

/** The least weight but 0. */
// @ts-ignore: decorator
@inline
export function LEAST_WEIGHT<T>(): f64 {
  return sizeof<T>() == 4 ? <f64>f32.MIN_NORMAL_VALUE : f64.MIN_NORMAL_VALUE;
}

/**
 * A chunk, whose weights have a sum of their own, has 2^chunkShift elements: at least four vectors, and so many that
 * there are at most CHUNK_COUNT chunks.
 */
// @ts-ignore: decorator
@inline
export function chunkShift(n: usize): usize {
  return max<usize>(8, 32 - <usize>clz<u32>(<u32>(n / CHUNK_COUNT)));
}

/**
 * Computes the weights of a row whose parameters are prepared. Writes their sums to scratch, chunk by chunk, and the
 * weights themselves to `weights` unless that is 0. Returns the sum of all.
 */
export function weigh<T>(x: usize, n: usize, floor: T, weights: usize, scratch: usize): f64 {
  const centre = parameter<T>(scratch, CENTRE), rate = parameter<T>(scratch, RATE);
  const magic = parameter<T>(scratch, MAGIC), least = v128.splat<T>(floor);
  const end = x + n * sizeof<T>(), chunkBytes = sizeof<T>() << chunkShift(n);
  // If the weights are stored, a core's cache has no room for the next row.
  const ahead = weights ? 0 : load<usize>(scratch, NEXT_ROW) - x;
  let total: f64 = 0;
  for (let sums = scratch + CHUNK_SUMS; x < end; sums += 8) {
    const chunkEnd = min(end, x + chunkBytes);
    let chunk = v128.splat<f64>(0);
    for (const fours = x + ((chunkEnd - x) & ~63); x < fours; x += 64) {
      const v0 = v128.load(x), v1 = v128.load(x, 16), v2 = v128.load(x, 32), v3 = v128.load(x, 48);
      // Memory is idle here, so the next row is read ahead: its maximum would have to wait for memory.
      load<u32>(x + ahead);
      const k0 = v128.ge<T>(v0, least), k1 = v128.ge<T>(v1, least);
      const k2 = v128.ge<T>(v2, least), k3 = v128.ge<T>(v3, least);
      let w0 = v128.splat<T>(0), w1 = w0, w2 = w0, w3 = w0;
      // With a high floor most groups of four vectors have no weight at all.
      if (v128.any_true(v128.or(v128.or(k0, k1), v128.or(k2, k3)))) {
        w0 = v128.and(weightOf<T>(v0, scratch, centre, rate, magic), k0);
        w1 = v128.and(weightOf<T>(v1, scratch, centre, rate, magic), k1);
        w2 = v128.and(weightOf<T>(v2, scratch, centre, rate, magic), k2);
        w3 = v128.and(weightOf<T>(v3, scratch, centre, rate, magic), k3);
        chunk = f64x2.add(f64x2.add(chunk, widen<T>(v128.add<T>(w0, w1))), widen<T>(v128.add<T>(w2, w3)));
      }
      if (!weights) continue;
      v128.store(weights, w0);
      v128.store(weights, w1, 16);
      v128.store(weights, w2, 32);
      v128.store(weights, w3, 48);
      weights += 64;
    }
    for (; x < chunkEnd; x += 16) {
      const count = min((chunkEnd - x) / sizeof<T>(), lanes<T>());
      const w = weightsAt<T>(x, count, least, scratch, centre, rate, magic);
      chunk = f64x2.add(chunk, widen<T>(w));
      if (!weights) continue;
      if (count == lanes<T>()) v128.store(weights, w);
      else storeTail<T>(weights, w, count);
      weights += 16;
    }
    const sum = laneSum<f64>(chunk);
    store<f64>(sums, sum);
    total += sum;
  }
  return total;
}

/** The weights of up to a vector of elements. */
// @ts-ignore: decorator
@inline
function weightsAt<T>(
  x: usize, count: usize, least: v128, scratch: usize, centre: v128, rate: v128, magic: v128
): v128 {
  const whole = count == lanes<T>(), v = whole ? v128.load(x) : loadTail<T>(x, count);
  const w = v128.and(weightOf<T>(v, scratch, centre, rate, magic), v128.ge<T>(v, least));
  return whole ? w : v128.and(w, tailMask<T>(count));
}

/**
 * The index of the first element with which the cumulative sum of the weights exceeds u times their total: first its
 * chunk is found, then the element in it. The sums of the chunks are in scratch, and `total` is what they add up to, one
 * after another. If rounding keeps the sum from exceeding the threshold, it is the last element of the chunk that has a
 * weight. `weights`, if they were stored, count from `least` on; it is 0 if they were not.
 */
export function draw<T>(
  x: usize, n: usize, floor: T, total: f64, u: f64, weights: usize, least: f64, scratch: usize
): i32 {
  const threshold = u * total, chunk: usize = 1 << chunkShift(n);
  let sums = scratch + CHUNK_SUMS, sum: f64 = 0, i: usize = 0;
  // The loop ends because u · total < total.
  for (; sum + load<f64>(sums) <= threshold; sums += 8, i += chunk) sum += load<f64>(sums);
  const centre = parameter<T>(scratch, CENTRE), rate = parameter<T>(scratch, RATE);
  const magic = parameter<T>(scratch, MAGIC), lowest = v128.splat<T>(floor);
  const end = min(n, i + chunk);
  let last: usize = 0;
  for (; i < end; i += lanes<T>()) {
    const count = min(end - i, lanes<T>());
    if (!weights) {
      const w = weightsAt<T>(x + i * sizeof<T>(), count, lowest, scratch, centre, rate, magic);
      v128.store(scratch, w, TEMPORARY);
    }
    const from = weights ? weights + i * sizeof<T>() : scratch + TEMPORARY;
    for (let lane: usize = 0; lane < count; lane++) {
      const w = <f64>load<T>(from + lane * sizeof<T>());
      if (w < least) continue;
      last = i + lane;
      sum += w;
      if (sum > threshold) return <i32>last;
    }
  }
  return <i32>last;
}
