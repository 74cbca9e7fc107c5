// What the operations do to a tile: TILE problems side by side, each in a lane of its own, all n elements long.
//
// A tile is a compact copy in scratch, n rows of TILE_BYTES: columns of a matrix (any axis but the last) or short rows,
// transposed. Compact, because columns whose distance is a power of two fall on each other in the cache.
// It has four vectors ("columns") a row; lanes past the problems at hand hold something harmless.
//
// scratch: [parameters of the careful form | state, a row of four vectors each | … HEADER_BYTES | the tile]

import {
  CAREFUL, EXP_BYTES, FAST, HOLES, coefficient, exponential, fastLimit, ln2HighOf, log2eOver, magicNumber, oneVector,
  prepareHoles, prepareLane, softmaxExp
} from "../math/exp";
import { log1p } from "../math/log";
import { madd, nmadd } from "../simd/arch";
import {
  demote, lanes, loadTail, promoteHigh, promoteLow, storeTail, subIntegers, toFloats
} from "../simd/lanes";
import { laneRounding } from "./sum";
import { join2, join3, split2, split3 } from "../kernels/transpose";
import { narrowing, ones } from "./row";
import { rangeHolds, rangeJoin, rangeLanes, rangeStart, rangeStep, signMask } from "../simd/range";

/** Bytes of a tile's row; HEADER_SCRATCH and TILE_ROW in src/runtime/memory.ts are these two. */
export const TILE_BYTES: usize = 64;
export const HEADER_BYTES: usize = 2048;

/** State of the problems of a tile: four vectors at scratch + one of these. */
export const FACTOR: usize = EXP_BYTES; // what scatter multiplies by
export const MAXIMUM: usize = FACTOR + TILE_BYTES;
export const LOG_SUM: usize = MAXIMUM + TILE_BYTES; // log Σ e^((x − maximum) / t)
const PREPARE: usize = LOG_SUM + TILE_BYTES; // tilePrepare's own
export const CHOSEN: usize = PREPARE + TILE_BYTES; // x of the target
export const SCALE: usize = CHOSEN + TILE_BYTES; // of the gradient
export const OTHERS: usize = SCALE + TILE_BYTES; // 1 − the probability of one maximum
export const TARGET_SUM: usize = OTHERS + TILE_BYTES; // f64, as rowTargetSums has them
export const TARGET_DOT: usize = TARGET_SUM + 2 * TILE_BYTES;
export const GRADIENT_SCALE: usize = TARGET_DOT; // f64, once the sum is used up: what tileFactors multiplies by
export const KEPT: usize = TARGET_DOT + 2 * TILE_BYTES; // all bits set where a mask keeps something
export const LENGTHS: usize = KEPT + TILE_BYTES; // maskTile's own, as what follows
export const PLACES: usize = LENGTHS + TILE_BYTES;

/** The most rows whose exponentials are added in T throughout, see primitives/sum.ts. */
export const FEW: usize = 3;
/** In logarithms, rows summed in one chain of additions, and the most whose chains are added without float64 (f64:
 * compensation). */
const BLOCK: usize = 4;
const SHORT: usize = BLOCK * BLOCK;

/** Problems in a tile: 16 for f32, 8 for f64. */
// @ts-ignore: decorator
@inline
export function TILE<T>(): usize {
  return TILE_BYTES / sizeof<T>();
}

/** Vectors that hold this many problems. */
// @ts-ignore: decorator
@inline
export function columnsOf<T>(problems: usize): usize {
  return (problems + lanes<T>() - 1) / lanes<T>();
}

/**
 * Fills a tile with `problems` columns of a matrix whose rows are `stride` bytes apart.
 * Returns whether every |x| is at most limit.
 */
function gatherColumns<T>(x: usize, stride: usize, tile: usize, n: usize, problems: usize, limit: T): bool {
  const bound = v128.splat<T>(limit), mask = signMask<T>();
  const rest = problems % lanes<T>(), whole = (problems - rest) * sizeof<T>();
  const end = tile + n * TILE_BYTES;
  let r0 = rangeStart<T>(), r1 = r0, r2 = r0, r3 = r0;
  if (whole == TILE_BYTES) {
    for (; tile < end; tile += TILE_BYTES, x += stride) {
      const v0 = v128.load(x), v1 = v128.load(x, 16), v2 = v128.load(x, 32), v3 = v128.load(x, 48);
      r0 = rangeStep<T>(r0, v0, mask, bound);
      r1 = rangeStep<T>(r1, v1, mask, bound);
      r2 = rangeStep<T>(r2, v2, mask, bound);
      r3 = rangeStep<T>(r3, v3, mask, bound);
      v128.store(tile, v0);
      v128.store(tile, v1, 16);
      v128.store(tile, v2, 32);
      v128.store(tile, v3, 48);
    }
    return rangeHolds<T>(rangeJoin<T>(rangeJoin<T>(r0, r1), rangeJoin<T>(r2, r3)), bound);
  }
  for (; tile < end; tile += TILE_BYTES, x += stride) {
    for (let at: usize = 0; at < whole; at += 16) {
      const v = v128.load(x + at);
      r0 = rangeStep<T>(r0, v, mask, bound);
      v128.store(tile + at, v);
    }
    if (rest) {
      const v = loadTail<T>(x + whole, rest);
      r0 = rangeStep<T>(r0, v, mask, bound);
      v128.store(tile + whole, v);
    }
  }
  return rangeHolds<T>(r0, bound);
}

/** Writes a tile's columns, each times its factor, where gatherColumns found them. */
function scatterColumns<T>(
  tile: usize, y: usize, stride: usize, n: usize, problems: usize, scratch: usize
): void {
  const rest = problems % lanes<T>(), whole = (problems - rest) * sizeof<T>();
  const factors = scratch + FACTOR, end = tile + n * TILE_BYTES;
  if (whole == TILE_BYTES) {
    const f0 = v128.load(factors), f1 = v128.load(factors, 16), f2 = v128.load(factors, 32);
    const f3 = v128.load(factors, 48);
    for (; tile < end; tile += TILE_BYTES, y += stride) {
      v128.store(y, v128.mul<T>(v128.load(tile), f0));
      v128.store(y, v128.mul<T>(v128.load(tile, 16), f1), 16);
      v128.store(y, v128.mul<T>(v128.load(tile, 32), f2), 32);
      v128.store(y, v128.mul<T>(v128.load(tile, 48), f3), 48);
    }
    return;
  }
  for (; tile < end; tile += TILE_BYTES, y += stride) {
    for (let at: usize = 0; at < whole; at += 16) {
      v128.store(y + at, v128.mul<T>(v128.load(tile + at), v128.load(factors + at)));
    }
    if (rest) storeTail<T>(y + whole, v128.mul<T>(v128.load(tile + whole), v128.load(factors + whole)), rest);
  }
}

/**
 * Fills a tile with `problems` rows of n elements, transposed: vector by vector of the tile, lanes<T> rows each.
 * Missing rows repeat the last one. Returns whether every |x| is at most limit.
 */
function gatherRows<T>(x: usize, tile: usize, n: usize, problems: usize, limit: T): bool {
  const bound = v128.splat<T>(limit), mask = signMask<T>();
  const bytes = n * sizeof<T>();
  if (sizeof<T>() == 4 && problems == TILE<T>() && (n == 2 || n == 3)) return gatherFewRows(x, tile, n, <f32>limit);
  let range = rangeStart<T>();
  for (let first: usize = 0; first < problems; first += lanes<T>(), tile += 16) {
    const last = x + (problems - 1) * bytes;
    const x0 = x + first * bytes, x1 = min(x0 + bytes, last);
    const x2 = min(x0 + 2 * bytes, last), x3 = min(x0 + 3 * bytes, last);
    let t = tile;
    let at: usize = 0;
    if (sizeof<T>() == 4) {
      for (; at + 16 <= bytes; at += 16, t += 4 * TILE_BYTES) {
        const r0 = v128.load(x0 + at), r1 = v128.load(x1 + at), r2 = v128.load(x2 + at), r3 = v128.load(x3 + at);
        range = rangeStep<T>(range, r0, mask, bound);
        range = rangeStep<T>(range, r1, mask, bound);
        range = rangeStep<T>(range, r2, mask, bound);
        range = rangeStep<T>(range, r3, mask, bound);
        const low01 = v128.shuffle<i32>(r0, r1, 0, 4, 1, 5), high01 = v128.shuffle<i32>(r0, r1, 2, 6, 3, 7);
        const low23 = v128.shuffle<i32>(r2, r3, 0, 4, 1, 5), high23 = v128.shuffle<i32>(r2, r3, 2, 6, 3, 7);
        v128.store(t, v128.shuffle<i64>(low01, low23, 0, 2));
        v128.store(t + TILE_BYTES, v128.shuffle<i64>(low01, low23, 1, 3));
        v128.store(t + 2 * TILE_BYTES, v128.shuffle<i64>(high01, high23, 0, 2));
        v128.store(t + 3 * TILE_BYTES, v128.shuffle<i64>(high01, high23, 1, 3));
      }
      if (at + 8 <= bytes) {
        const a = v128.load_lane<i64>(x1 + at, v128.load_zero<i64>(x0 + at), 1);
        const b = v128.load_lane<i64>(x3 + at, v128.load_zero<i64>(x2 + at), 1);
        const first = v128.shuffle<i32>(a, b, 0, 2, 4, 6), second = v128.shuffle<i32>(a, b, 1, 3, 5, 7);
        range = rangeStep<T>(range, first, mask, bound);
        range = rangeStep<T>(range, second, mask, bound);
        v128.store(t, first);
        v128.store(t + TILE_BYTES, second);
        at += 8;
        t += 2 * TILE_BYTES;
      }
      for (; at < bytes; at += 4, t += TILE_BYTES) {
        let v = v128.load_zero<f32>(x0 + at);
        v = v128.load_lane<f32>(x1 + at, v, 1);
        v = v128.load_lane<f32>(x2 + at, v, 2);
        v = v128.load_lane<f32>(x3 + at, v, 3);
        range = rangeStep<T>(range, v, mask, bound);
        v128.store(t, v);
      }
    } else {
      for (; at < bytes; at += 8, t += TILE_BYTES) {
        const v = v128.load_lane<f64>(x1 + at, v128.load_zero<f64>(x0 + at), 1);
        range = rangeStep<T>(range, v, mask, bound);
        v128.store(t, v);
      }
    }
  }
  return rangeHolds<T>(range, bound);
}

/** gatherRows for a whole tile of pairs or triples. */
function gatherFewRows(x: usize, tile: usize, n: usize, limit: f32): bool {
  if (n == 2) split2(x, tile, TILE_BYTES, TILE<f32>());
  else split3(x, tile, TILE_BYTES, TILE<f32>());
  let inRange = i32x4.splat(-1);
  for (let at: usize = 0; at < TILE_BYTES; at += 16) inRange = v128.and(inRange, tileRange<f32>(tile + at, n, limit));
  return i32x4.all_true(inRange);
}

/** scatterRows for a whole tile of pairs or triples. */
function scatterFewRows(tile: usize, y: usize, n: usize, scratch: usize): void {
  for (let at: usize = 0; at < TILE_BYTES; at += 16) {
    const f = v128.load(scratch + at, FACTOR);
    for (let p = tile + at, end = p + n * TILE_BYTES; p < end; p += TILE_BYTES) {
      v128.store(p, f32x4.mul(v128.load(p), f));
    }
  }
  if (n == 2) join2(tile, TILE_BYTES, y, TILE<f32>());
  else join3(tile, TILE_BYTES, y, TILE<f32>());
}

/** Writes a tile's problems, each times its factor, as the rows that gatherRows found. */
function scatterRows<T>(tile: usize, y: usize, n: usize, problems: usize, scratch: usize): void {
  if (sizeof<T>() == 4 && problems == TILE<T>() && (n == 2 || n == 3)) {
    scatterFewRows(tile, y, n, scratch);
    return;
  }
  const bytes = n * sizeof<T>();
  let factors = scratch + FACTOR;
  for (let first: usize = 0; first < problems; first += lanes<T>(), tile += 16, factors += 16) {
    const f = v128.load(factors);
    const y0 = y + first * bytes;
    const count = problems - first;
    if (sizeof<T>() == 4 && count >= 4) scatterFourRows(true, tile, y0, bytes, count, f);
    else if (sizeof<T>() == 4) scatterFourRows(false, tile, y0, bytes, count, f);
    else scatterTwoRows(tile, y0, bytes, count, f);
  }
}

// @ts-ignore: decorator
@inline
function scatterFourRows(all: bool, t: usize, y0: usize, bytes: usize, count: usize, f: v128): void {
  const y1 = y0 + bytes, y2 = y1 + bytes, y3 = y2 + bytes;
  let at: usize = 0;
  for (; at + 16 <= bytes; at += 16, t += 4 * TILE_BYTES) {
    const e0 = f32x4.mul(v128.load(t), f), e1 = f32x4.mul(v128.load(t + TILE_BYTES), f);
    const e2 = f32x4.mul(v128.load(t + 2 * TILE_BYTES), f), e3 = f32x4.mul(v128.load(t + 3 * TILE_BYTES), f);
    const low01 = v128.shuffle<i32>(e0, e1, 0, 4, 1, 5), high01 = v128.shuffle<i32>(e0, e1, 2, 6, 3, 7);
    const low23 = v128.shuffle<i32>(e2, e3, 0, 4, 1, 5), high23 = v128.shuffle<i32>(e2, e3, 2, 6, 3, 7);
    v128.store(y0 + at, v128.shuffle<i64>(low01, low23, 0, 2));
    if (all || count > 1) v128.store(y1 + at, v128.shuffle<i64>(low01, low23, 1, 3));
    if (all || count > 2) v128.store(y2 + at, v128.shuffle<i64>(high01, high23, 0, 2));
    if (all || count > 3) v128.store(y3 + at, v128.shuffle<i64>(high01, high23, 1, 3));
  }
  if (at + 8 <= bytes) {
    const e0 = f32x4.mul(v128.load(t), f), e1 = f32x4.mul(v128.load(t + TILE_BYTES), f);
    const a = v128.shuffle<i32>(e0, e1, 0, 4, 1, 5), b = v128.shuffle<i32>(e0, e1, 2, 6, 3, 7);
    v128.store_lane<i64>(y0 + at, a, 0);
    if (all || count > 1) v128.store_lane<i64>(y1 + at, a, 1);
    if (all || count > 2) v128.store_lane<i64>(y2 + at, b, 0);
    if (all || count > 3) v128.store_lane<i64>(y3 + at, b, 1);
    at += 8;
    t += 2 * TILE_BYTES;
  }
  for (; at < bytes; at += 4, t += TILE_BYTES) {
    const e = f32x4.mul(v128.load(t), f);
    v128.store_lane<f32>(y0 + at, e, 0);
    if (all || count > 1) v128.store_lane<f32>(y1 + at, e, 1);
    if (all || count > 2) v128.store_lane<f32>(y2 + at, e, 2);
    if (all || count > 3) v128.store_lane<f32>(y3 + at, e, 3);
  }
}

// @ts-ignore: decorator
@inline
function scatterTwoRows(t: usize, y0: usize, bytes: usize, count: usize, f: v128): void {
  for (let at: usize = 0; at < bytes; at += 8, t += TILE_BYTES) {
    const e = f64x2.mul(v128.load(t), f);
    v128.store_lane<f64>(y0 + at, e, 0);
    if (count > 1) v128.store_lane<f64>(y0 + bytes + at, e, 1);
  }
}

/** Problems of the tile that begins with problem `first` of [outer, inner]: a tile stays within an outer slice. */
// @ts-ignore: decorator
@inline
export function problemsOfTile<T>(first: usize, outer: usize, inner: usize): usize {
  return min(TILE<T>(), inner == 1 ? outer - first : inner - (first % inner));
}

/** Address of the first element of a problem. */
// @ts-ignore: decorator
@inline
export function addressOf<T>(x: usize, n: usize, inner: usize, problem: usize): usize {
  return x + ((problem / inner) * n * inner + (problem % inner)) * sizeof<T>();
}

/** Fills a tile with problems of [outer, n, inner]. Returns the form: fast when every |x| is at most limit. */
// @ts-ignore: decorator
@inline
export function gather<T>(
  x: usize, n: usize, inner: usize, first: usize, problems: usize, tile: usize, limit: T
): i32 {
  const from = addressOf<T>(x, n, inner, first);
  const inRange = inner == 1
    ? gatherRows<T>(from, tile, n, problems, limit)
    : gatherColumns<T>(from, inner * sizeof<T>(), tile, n, problems, limit);
  return inRange ? FAST : CAREFUL;
}

/** Writes the problems of a tile, each times its factor, to [outer, n, inner]. */
// @ts-ignore: decorator
@inline
export function scatter<T>(
  tile: usize, y: usize, n: usize, inner: usize, first: usize, problems: usize, scratch: usize
): void {
  const to = addressOf<T>(y, n, inner, first);
  if (inner == 1) scatterRows<T>(tile, to, n, problems, scratch);
  else scatterColumns<T>(tile, to, inner * sizeof<T>(), n, problems, scratch);
}

/** The largest element of each problem of one column of vectors; NaN where the problem holds NaN. */
function tileMax<T>(column: usize, n: usize): v128 {
  let m = v128.splat<T>(<T>(-Infinity));
  for (const end = column + n * TILE_BYTES; column < end; column += TILE_BYTES) m = v128.max<T>(m, v128.load(column));
  return m;
}

/** The same without NaN. */
// @ts-ignore: decorator
@inline
function tileMaxInRange<T>(column: usize, n: usize): v128 {
  let m = v128.splat<T>(<T>(-Infinity));
  for (const end = column + n * TILE_BYTES; column < end; column += TILE_BYTES) m = v128.pmax<T>(m, v128.load(column));
  return m;
}

/** All bits set in the lanes of problems within the fast range. */
function tileRange<T>(column: usize, n: usize, limit: T): v128 {
  const bound = v128.splat<T>(limit), mask = signMask<T>();
  let range = rangeStart<T>();
  for (const end = column + n * TILE_BYTES; column < end; column += TILE_BYTES) {
    range = rangeStep<T>(range, v128.load(column), mask, bound);
  }
  return rangeLanes<T>(range, bound);
}

/** Sets the careful form up for one column of vectors: each problem's own values decide its form. */
function tilePrepare<T>(column: usize, n: usize, maxima: v128, temperature: f64, scratch: usize): void {
  const area = scratch + PREPARE;
  v128.store(area, maxima);
  v128.store(area, tileRange<T>(column, n, fastLimit<T>(temperature)), 16);
  for (let lane: usize = 0; lane < lanes<T>(); lane++) {
    const at = area + lane * sizeof<T>();
    prepareLane<T>(scratch, lane, load<T>(at), load<u32>(at, 16) != 0, temperature);
  }
}

/** e^(x / t) in place; FACTOR becomes the reciprocals of the sums. */
export function tileExp<T>(tile: usize, n: usize, columns: usize, form: i32, temperature: f64, scratch: usize): void {
  if (form == FAST) expFast<T>(tile, n, columns, temperature, scratch);
  else if (sizeof<T>() == 4 && form == HOLES) expHoles<T>(tile, n, columns, temperature, scratch);
  else expCareful<T>(tile, n, columns, temperature, scratch);
}

function expFast<T>(tile: usize, n: usize, columns: usize, temperature: f64, scratch: usize): void {
  expInPlace<T>(FAST, tile, n, columns, temperature, scratch);
}

function expHoles<T>(tile: usize, n: usize, columns: usize, temperature: f64, scratch: usize): void {
  prepareHoles<T>(scratch, temperature);
  expInPlace<T>(HOLES, tile, n, columns, temperature, scratch);
}

function expCareful<T>(tile: usize, n: usize, columns: usize, temperature: f64, scratch: usize): void {
  expInPlace<T>(CAREFUL, tile, n, columns, temperature, scratch);
}

// @ts-ignore: decorator
@inline
function expInPlace<T>(
  form: i32, tile: usize, n: usize, columns: usize, temperature: f64, scratch: usize
): void {
  const log2e = log2eOver<T>(scratch), magic = magicNumber<T>(scratch), high = ln2HighOf<T>(scratch);
  const c5 = coefficient<T>(5, scratch), c4 = coefficient<T>(4, scratch), c3 = coefficient<T>(3, scratch);
  const c2 = coefficient<T>(2, scratch), c1 = coefficient<T>(1, scratch);
  for (let column: usize = 0; column < columns; column++, tile += 16) {
    if (form == CAREFUL) tilePrepare<T>(tile, n, tileMax<T>(tile, n), temperature, scratch);
    const end = tile + n * TILE_BYTES, few = sizeof<T>() == 4 && n <= FEW;
    let p = tile, sum = v128.splat<T>(0), low = v128.splat<f64>(0), rest = low;
    if (sizeof<T>() == 4 && form == FAST && !few) {
      // Two pairs at a time: the stores come last.
      for (const fours = p + (n & ~3) * TILE_BYTES; p < fours; p += 4 * TILE_BYTES) {
        const e0 = softmaxExp<T>(form, v128.load(p), scratch, log2e, magic, high, c5, c4, c3, c2, c1);
        const e1 = softmaxExp<T>(form, v128.load(p, TILE_BYTES), scratch, log2e, magic, high, c5, c4, c3, c2, c1);
        const e2 = softmaxExp<T>(form, v128.load(p, 2 * TILE_BYTES), scratch, log2e, magic, high, c5, c4, c3, c2, c1);
        const e3 = softmaxExp<T>(form, v128.load(p, 3 * TILE_BYTES), scratch, log2e, magic, high, c5, c4, c3, c2, c1);
        v128.store(p, e0);
        v128.store(p, e1, TILE_BYTES);
        v128.store(p, e2, 2 * TILE_BYTES);
        v128.store(p, e3, 3 * TILE_BYTES);
        const pair = v128.add<T>(e0, e1), next = v128.add<T>(e2, e3);
        low = f64x2.add(f64x2.add(low, promoteLow(pair)), promoteLow(next));
        rest = f64x2.add(f64x2.add(rest, promoteHigh(pair)), promoteHigh(next));
      }
    }
    while (p < end) {
      const stop = few ? end : min(end, p + (sizeof<T>() == 4 ? 2 : BLOCK) * TILE_BYTES);
      let s = v128.splat<T>(0);
      for (; p < stop; p += TILE_BYTES) {
        const e = softmaxExp<T>(form, v128.load(p), scratch, log2e, magic, high, c5, c4, c3, c2, c1);
        v128.store(p, e);
        s = v128.add<T>(s, e);
      }
      if (sizeof<T>() == 4) {
        low = f64x2.add(low, promoteLow(s));
        rest = f64x2.add(rest, promoteHigh(s));
        sum = s;
      } else {
        const total = f64x2.add(sum, s);
        if (n > SHORT) low = f64x2.add(low, laneRounding(sum, s, total));
        sum = total;
      }
    }
    if (sizeof<T>() == 8) sum = f64x2.add(sum, low);
    const whole = sizeof<T>() == 8 || few;
    v128.store(
      scratch + FACTOR + (column << 4), whole ? v128.div<T>(oneVector<T>(scratch), sum) : reciprocal(low, rest)
    );
  }
}

/** 1 / the sums of a column of f32 vectors, in float64, two here and two there. */
// @ts-ignore: decorator
@inline
function reciprocal(low: v128, rest: v128): v128 {
  const one = f64x2.splat(1);
  return demote(f64x2.div(one, low), f64x2.div(one, rest));
}

/**
 * A whole f32 tile of e^(x / t) from columns `stride` bytes apart, with FACTOR as tileExp has it, bit for bit, in one
 * pass. Returns whether every |x / t| ≤ RANGE; the results count only then.
 */
export function tileExpColumns(
  x: usize, stride: usize, tile: usize, n: usize, temperature: f64, scratch: usize
): bool {
  const log2e = log2eOver<f32>(scratch), magic = magicNumber<f32>(scratch), high = ln2HighOf<f32>(scratch);
  const c5 = coefficient<f32>(5, scratch), c4 = coefficient<f32>(4, scratch), c3 = coefficient<f32>(3, scratch);
  const c2 = coefficient<f32>(2, scratch), c1 = coefficient<f32>(1, scratch);
  const bound = v128.splat<f32>(fastLimit<f32>(temperature)), mask = signMask<f32>();
  let range = rangeStart<f32>();
  // The sums are in memory: those of four columns of vectors are more than the registers hold.
  memory.fill(scratch + TARGET_SUM, 0, 2 * TILE_BYTES);
  let row: usize = 0;
  // Four rows at a time: the stores come last.
  for (; row + 4 <= n; row += 4) {
    const x1 = x + stride, x2 = x1 + stride, x3 = x2 + stride;
    for (let at: usize = 0; at < TILE_BYTES; at += 16) {
      const v0 = v128.load(x + at), e0 = softmaxExp<f32>(FAST, v0, scratch, log2e, magic, high, c5, c4, c3, c2, c1);
      const v1 = v128.load(x1 + at), e1 = softmaxExp<f32>(FAST, v1, scratch, log2e, magic, high, c5, c4, c3, c2, c1);
      const v2 = v128.load(x2 + at), e2 = softmaxExp<f32>(FAST, v2, scratch, log2e, magic, high, c5, c4, c3, c2, c1);
      const v3 = v128.load(x3 + at), e3 = softmaxExp<f32>(FAST, v3, scratch, log2e, magic, high, c5, c4, c3, c2, c1);
      const q = tile + at;
      v128.store(q, e0);
      v128.store(q, e1, TILE_BYTES);
      v128.store(q, e2, 2 * TILE_BYTES);
      v128.store(q, e3, 3 * TILE_BYTES);
      range = rangeStep<f32>(rangeStep<f32>(range, v0, mask, bound), v1, mask, bound);
      range = rangeStep<f32>(rangeStep<f32>(range, v2, mask, bound), v3, mask, bound);
      addToTotals(f32x4.add(e0, e1), f32x4.add(e2, e3), scratch + at);
    }
    x = x3 + stride;
    tile += 4 * TILE_BYTES;
  }
  for (; row < n; row += 2) {
    const rows = min(<usize>2, n - row);
    for (let at: usize = 0; at < TILE_BYTES; at += 16) {
      let pair = v128.splat<f32>(0), p = x + at, q = tile + at;
      for (const end = q + rows * TILE_BYTES; q < end; q += TILE_BYTES, p += stride) {
        const v = v128.load(p);
        const e = softmaxExp<f32>(FAST, v, scratch, log2e, magic, high, c5, c4, c3, c2, c1);
        v128.store(q, e);
        pair = f32x4.add(pair, e);
        range = rangeStep<f32>(range, v, mask, bound);
      }
      addToTotals(pair, v128.splat<f32>(0), scratch + at);
    }
    x += rows * stride;
    tile += rows * TILE_BYTES;
  }
  for (let at: usize = 0; at < TILE_BYTES; at += 16) {
    const low = v128.load(scratch + at, TARGET_SUM), high = v128.load(scratch + at, TARGET_SUM + TILE_BYTES);
    // As few as are added in f32: there is no more in the float64 sum, once rounded.
    const few = f32x4.div(oneVector<f32>(scratch), demote(low, high));
    v128.store(scratch + at, n <= FEW ? few : reciprocal(low, high), FACTOR);
  }
  return rangeHolds<f32>(range, bound);
}

/** Adds the sums of two pairs to the totals of a column of vectors, two of f64 at TARGET_SUM. */
// @ts-ignore: decorator
@inline
function addToTotals(pair: v128, next: v128, totals: usize): void {
  const low = f64x2.add(v128.load(totals, TARGET_SUM), promoteLow(pair));
  const rest = f64x2.add(v128.load(totals, TARGET_SUM + TILE_BYTES), promoteHigh(pair));
  v128.store(totals, f64x2.add(low, promoteLow(next)), TARGET_SUM);
  v128.store(totals, f64x2.add(rest, promoteHigh(next)), TARGET_SUM + TILE_BYTES);
}

/** n / 2^33: FACTOR times a scale above it is a normal number of f32, where a sum of n exponentials is at most n e^RANGE. */
// @ts-ignore: decorator
@inline
export function faintLimit(n: usize): f64 {
  return <f64>n / 8589934592.0;
}

/** Whether that is to be looked at. In f64 there is room for every temperature: at great ones sums are at most n 2^60. */
// @ts-ignore: decorator
@inline
export function isFaint<T>(scale: f64, limit: f64): bool {
  return sizeof<T>() == 4 && !(abs(scale) > limit);
}

/**
 * FACTOR becomes GRADIENT_SCALE times it, or what rowFactor makes of the two, for the problems whose bits are set; for
 * f32.
 */
export function tileFactors(tile: usize, n: usize, bits: u32, scratch: usize): void {
  for (; bits; bits &= bits - 1) {
    const i = <usize>ctz(bits), at = i << 2;
    const reciprocal = load<f32>(scratch + at, FACTOR), scale = load<f64>(scratch + (i << 3), GRADIENT_SCALE);
    let factor = scale * <f64>reciprocal;
    if (scale != 0 && abs(factor) < f32.MIN_NORMAL_VALUE) {
      for (let p = tile + at, end = p + n * TILE_BYTES; p < end; p += TILE_BYTES) {
        store<f32>(p, load<f32>(p) * reciprocal);
      }
      factor = scale;
    }
    store<f32>(scratch + at, <f32>factor, FACTOR);
  }
}

/** MAXIMUM of every problem; NaN where one holds NaN. */
export function tileMaxima<T>(tile: usize, n: usize, columns: usize, form: i32, scratch: usize): void {
  for (let column: usize = 0; column < columns; column++, tile += 16, scratch += 16) {
    v128.store(scratch, form != CAREFUL ? tileMaxInRange<T>(tile, n) : tileMax<T>(tile, n), MAXIMUM);
  }
}

/** CHOSEN, x of every problem's target; where that is -1, nothing. */
export function tileChosen<T>(tile: usize, targets: usize, problems: usize, scratch: usize): void {
  for (let i: usize = 0; i < problems; i++) {
    const target = load<i32>(targets + (i << 2));
    const at = i * sizeof<T>();
    if (target >= 0) store<T>(scratch + at, load<T>(tile + <usize>target * TILE_BYTES + at), CHOSEN);
  }
}

/** LOG_SUM of every problem, as rowLogSum has it, given MAXIMUM. */
export function tileLogSum<T>(
  tile: usize, n: usize, columns: usize, form: i32, temperature: f64, scratch: usize
): void {
  if (form == FAST) logSumFast<T>(tile, n, columns, temperature, scratch);
  else if (sizeof<T>() == 4 && form == HOLES) logSumHoles<T>(tile, n, columns, temperature, scratch);
  else logSumCareful<T>(tile, n, columns, temperature, scratch);
}

/** The same without holes, and x = e^(x / t) in place, with FACTOR the reciprocals of the whole sums, and OTHERS. */
export function tileExpLogSum<T>(
  tile: usize, n: usize, columns: usize, form: i32, temperature: f64, scratch: usize
): void {
  if (form == FAST) expLogSumFast<T>(tile, n, columns, temperature, scratch);
  else expLogSumCareful<T>(tile, n, columns, temperature, scratch);
}

function logSumFast<T>(tile: usize, n: usize, columns: usize, temperature: f64, scratch: usize): void {
  logSum<T>(FAST, false, tile, n, columns, temperature, scratch);
}

function logSumHoles<T>(tile: usize, n: usize, columns: usize, temperature: f64, scratch: usize): void {
  prepareHoles<T>(scratch, temperature);
  logSum<T>(HOLES, false, tile, n, columns, temperature, scratch);
}

function logSumCareful<T>(tile: usize, n: usize, columns: usize, temperature: f64, scratch: usize): void {
  logSum<T>(CAREFUL, false, tile, n, columns, temperature, scratch);
}

function expLogSumFast<T>(tile: usize, n: usize, columns: usize, temperature: f64, scratch: usize): void {
  logSum<T>(FAST, true, tile, n, columns, temperature, scratch);
}

function expLogSumCareful<T>(tile: usize, n: usize, columns: usize, temperature: f64, scratch: usize): void {
  logSum<T>(CAREFUL, true, tile, n, columns, temperature, scratch);
}

/** `form` and `keep` (whether x becomes e^(x / t)) are literals. */
// @ts-ignore: decorator
@inline
function logSum<T>(
  form: i32, keep: bool, tile: usize, n: usize, columns: usize, temperature: f64, scratch: usize
): void {
  const log2e = log2eOver<T>(scratch), magic = magicNumber<T>(scratch), high = ln2HighOf<T>(scratch);
  const c5 = coefficient<T>(5, scratch), c4 = coefficient<T>(4, scratch), c3 = coefficient<T>(3, scratch);
  const c2 = coefficient<T>(2, scratch), c1 = coefficient<T>(1, scratch);
  for (let column: usize = 0; column < columns; column++, tile += 16) {
    const state = scratch + (column << 4);
    const m = v128.load(state, MAXIMUM);
    if (form == CAREFUL) tilePrepare<T>(tile, n, m, temperature, scratch);
    const end = tile + n * TILE_BYTES;
    let sum = v128.splat<T>(0), equals = sum, totalLow = sum, totalHigh = sum;
    for (let p = tile; p < end; ) {
      const blockEnd = min(end, p + BLOCK * TILE_BYTES);
      let s = v128.splat<T>(0);
      for (; p < blockEnd; p += TILE_BYTES) {
        const v = v128.load(p);
        const isMaximum = v128.eq<T>(v, m);
        const e = exponential<T>(form, v, scratch, log2e, magic, high, c5, c4, c3, c2, c1);
        if (keep) v128.store(p, e);
        s = v128.add<T>(s, v128.andnot(e, isMaximum));
        equals = subIntegers<T>(equals, isMaximum);
      }
      if (n <= SHORT) {
        sum = v128.add<T>(sum, s);
      } else if (sizeof<T>() == 8) {
        const total = f64x2.add(sum, s);
        totalLow = f64x2.add(totalLow, laneRounding(sum, s, total));
        sum = total;
      } else {
        totalLow = f64x2.add(totalLow, promoteLow(s));
        totalHigh = f64x2.add(totalHigh, promoteHigh(s));
      }
    }
    if (n > SHORT) sum = sizeof<T>() == 4 ? demote(totalLow, totalHigh) : f64x2.add(sum, totalLow);
    const top = exponential<T>(form, m, scratch, log2e, magic, high, c5, c4, c3, c2, c1);
    const count = toFloats<T>(equals);
    const more = v128.sub<T>(count, v128.splat<T>(1));
    v128.store(state, v128.add<T>(more, v128.div<T>(sum, top)), LOG_SUM);
    if (keep) {
      const factor = v128.div<T>(oneVector<T>(scratch), v128.add<T>(sum, v128.mul<T>(count, top)));
      v128.store(state, factor, FACTOR);
      v128.store(state, v128.mul<T>(v128.add<T>(sum, v128.mul<T>(more, top)), factor), OTHERS);
    }
  }
  toLogSums<T>(columns, scratch);
}

/** LOG_SUM = log1p of it. A function of its own, of which all forms share one. */
function toLogSums<T>(columns: usize, scratch: usize): void {
  for (const end = scratch + (columns << 4); scratch < end; scratch += 16) {
    v128.store(scratch, log1p<T>(v128.load(scratch, LOG_SUM)), LOG_SUM);
  }
}

/** The state without the problems of which a mask keeps nothing: 0 there. */
export function tileKeep(state: usize, columns: usize, scratch: usize): void {
  for (const end = scratch + (columns << 4); scratch < end; scratch += 16) {
    v128.store(scratch + state, v128.and(v128.load(scratch + state), v128.load(scratch, KEPT)));
  }
}

/** x = (x − maximum) / t − log sum in place: log-softmax, given tileLogSum. */
export function tileLogSoftmax<T>(tile: usize, n: usize, columns: usize, temperature: f64, scratch: usize): void {
  // In halves: x − maximum could overflow where (x − maximum) / t does not.
  const half = v128.splat<T>(<T>0.5), factor = v128.splat<T>(<T>(2.0 / temperature));
  for (let column: usize = 0; column < columns; column++, tile += 16, scratch += 16) {
    const m = v128.mul<T>(v128.load(scratch, MAXIMUM), half), logSum = v128.load(scratch, LOG_SUM);
    for (let p = tile, end = tile + n * TILE_BYTES; p < end; p += TILE_BYTES) {
      v128.store(p, v128.sub<T>(v128.mul<T>(v128.sub<T>(v128.mul<T>(v128.load(p), half), m), factor), logSum));
    }
    v128.store(scratch, v128.splat<T>(1), FACTOR);
  }
}

/**
 * TARGET_SUM and TARGET_DOT of every problem, as rowTargetSums has them, given MAXIMUM. `targets` is a tile or 0,
 * `weight` one element for each row of the tile, or 0.
 */
export function tileTargetSums<T>(
  tile: usize, targets: usize, weight: usize, n: usize, columns: usize, keep: f64, spread: f64, scratch: usize
): void {
  const k = v128.splat<T>(<T>keep), s = v128.splat<T>(<T>spread), zero = v128.splat<T>(0);
  const narrow = narrowing<T>();
  const weightStep: usize = weight ? sizeof<T>() : 0;
  for (let column: usize = 0; column < columns; column++, tile += 16) {
    const c = nmadd<T>(v128.load(scratch + (column << 4), MAXIMUM), narrow, zero);
    let t = targets + (column << 4), w = weight ? weight : ones<T>();
    let sumLow = zero, sumHigh = zero, dotLow = zero, dotHigh = zero;
    for (let p = tile, end = tile + n * TILE_BYTES; p < end; p += TILE_BYTES, t += TILE_BYTES, w += weightStep) {
      const share = targets ? madd<T>(v128.load(t), k, s) : s;
      const q = v128.mul<T>(share, v128.load_splat<T>(w));
      const term = v128.andnot(v128.mul<T>(q, madd<T>(v128.load(p), narrow, c)), v128.eq<T>(share, zero));
      if (sizeof<T>() == 4) {
        sumLow = f64x2.add(sumLow, promoteLow(q));
        sumHigh = f64x2.add(sumHigh, promoteHigh(q));
        dotLow = f64x2.add(dotLow, promoteLow(term));
        dotHigh = f64x2.add(dotHigh, promoteHigh(term));
      } else {
        // Here the high ones are what rounding takes from the low ones.
        const sum = f64x2.add(sumLow, q), dot = f64x2.add(dotLow, term);
        sumHigh = f64x2.add(sumHigh, laneRounding(sumLow, q, sum));
        dotHigh = f64x2.add(dotHigh, laneRounding(dotLow, term, dot));
        sumLow = sum;
        dotLow = dot;
      }
    }
    if (sizeof<T>() == 8) {
      sumLow = f64x2.add(sumLow, sumHigh);
      // NaN where the sum is infinite.
      const whole = f64x2.add(dotLow, dotHigh);
      dotLow = v128.bitselect(dotLow, whole, f64x2.ne(whole, whole));
    }
    const state = scratch + column * lanes<T>() * 8;
    v128.store(state, sumLow, TARGET_SUM);
    v128.store(state, dotLow, TARGET_DOT);
    if (sizeof<T>() == 4) {
      v128.store(state, sumHigh, TARGET_SUM + 16);
      v128.store(state, dotHigh, TARGET_DOT + 16);
    }
  }
}

/** x = x · FACTOR − SCALE · q, with the q of tileTargetSums; FACTOR becomes 1, so that scatter leaves it. */
export function tileGradient<T>(
  tile: usize, targets: usize, weight: usize, n: usize, columns: usize, keep: f64, spread: f64, scratch: usize
): void {
  const k = v128.splat<T>(<T>keep), s = v128.splat<T>(<T>spread);
  const weightStep: usize = weight ? sizeof<T>() : 0;
  for (let column: usize = 0; column < columns; column++, tile += 16, scratch += 16) {
    const factor = v128.load(scratch, FACTOR), scale = v128.load(scratch, SCALE);
    let t = targets + (column << 4), w = weight ? weight : ones<T>();
    for (let p = tile, end = tile + n * TILE_BYTES; p < end; p += TILE_BYTES, t += TILE_BYTES, w += weightStep) {
      const share = targets ? madd<T>(v128.load(t), k, s) : s;
      const q = v128.mul<T>(share, v128.load_splat<T>(w));
      v128.store(p, nmadd<T>(q, scale, v128.mul<T>(v128.load(p), factor)));
    }
    v128.store(scratch, v128.splat<T>(1), FACTOR);
  }
}
