// e^(x / t) of each row of a block, and the reciprocals of the sums.

import {
  MAX_SHIFTED, SOFTMAX_STEPS, SPARSE, UNSHIFTED, normalLimit, prepareLane, prepareSparse, softmaxExp, unshiftedLimit
} from "../math/exp";
import { finishFour, reduceFour, storeFour } from "../math/exp-four";
import { coefficient, ln2HighOf, log2eOver, magicNumber, oneVector } from "../math/exp-table";
import { EXP_PLAIN_LINES, F32_TERMS, PARTIAL_LINES, laneRounding } from "../math/sum";
import { EXP_SUM, FACTOR, HEADER_BYTES, LINE_BYTES, PREPARE, TILE_BYTES } from "../scratch";
import { BLOCK_ROWS } from "../shape";
import { demote, lanes, promoteHigh, promoteLow } from "../simd/lanes";
import { rangeHolds, rangeOfFour, rangeStart } from "../simd/range";
import { scatterStrided } from "./gather";
import { columnMax, columnRange } from "./reduce";
import { clearSubnormalLanes } from "./scale";

/**
 * e^(x / t) in place, for f32 cleared where it would be subnormal times FACTOR, which becomes the reciprocals of the
 * sums.
 */
export function blockExp<T>(block: usize, n: usize, columns: usize, form: i32, temperature: f64, scratch: usize): void {
  if (form == UNSHIFTED) expUnshifted<T>(block, n, columns, temperature, scratch);
  else if (sizeof<T>() == 4 && form == SPARSE) expSparse<T>(block, n, columns, temperature, scratch);
  else expMaxShifted<T>(block, n, columns, temperature, scratch);
  clearSubnormalLanes<T>(block, n, columns, scratch);
}

function expUnshifted<T>(block: usize, n: usize, columns: usize, temperature: f64, scratch: usize): void {
  expInPlace<T>(UNSHIFTED, block, n, columns, temperature, scratch);
}

function expSparse<T>(block: usize, n: usize, columns: usize, temperature: f64, scratch: usize): void {
  prepareSparse<T>(scratch, temperature);
  expInPlace<T>(SPARSE, block, n, columns, temperature, scratch);
}

function expMaxShifted<T>(block: usize, n: usize, columns: usize, temperature: f64, scratch: usize): void {
  expInPlace<T>(MAX_SHIFTED, block, n, columns, temperature, scratch);
}

// @ts-ignore: decorator
@inline
function expInPlace<T>(
  form: i32, block: usize, n: usize, columns: usize, temperature: f64, scratch: usize
): void {
  const log2e = log2eOver<T>(scratch), magic = magicNumber<T>(scratch), high = ln2HighOf<T>(scratch);
  const c5 = coefficient<T>(5, scratch), c4 = coefficient<T>(4, scratch), c3 = coefficient<T>(3, scratch);
  const c2 = coefficient<T>(2, scratch), c1 = coefficient<T>(1, scratch);
  for (let column: usize = 0, p = block; column < columns; column++, p = block + (column << 4)) {
    if (form == MAX_SHIFTED) prepareColumn<T>(p, n, columnMax<T>(p, n), temperature, scratch);
    const end = p + n * LINE_BYTES;
    if (sizeof<T>() == 4 && form == UNSHIFTED) {
      for (const fours = p + (n & ~3) * LINE_BYTES; p < fours; p += 4 * LINE_BYTES) {
        reduceFour(SOFTMAX_STEPS<f32>(), p, LINE_BYTES, scratch);
        finishFour(false, scratch);
        storeFour(p, LINE_BYTES);
      }
    }
    for (; p < end; p += LINE_BYTES) {
      v128.store(p, softmaxExp<T>(form, v128.load(p), scratch, log2e, magic, high, c5, c4, c3, c2, c1));
    }
  }
  blockSums<T>(block, n, columns, scratch);
}

/** FACTOR, the reciprocals of the sums of each row's exponentials. Not inlined: all forms share it. */
function blockSums<T>(block: usize, n: usize, columns: usize, scratch: usize): void {
  const one = oneVector<T>(scratch);
  for (const end = block + (columns << 4); block < end; block += 16, scratch += 16) {
    let factor: v128;
    if (sizeof<T>() == 8) factor = f64x2.div(one, columnSum64(block, n));
    else if (n <= F32_TERMS) factor = f32x4.div(one, columnSum32(block, n, LINE_BYTES));
    else {
      clearTotals(16, scratch);
      for (let line: usize = 0; line < n; line += 8) {
        addLines(block + line * LINE_BYTES, min<usize>(8, n - line), LINE_BYTES, scratch);
      }
      factor = reciprocal(scratch);
    }
    v128.store(scratch, factor, FACTOR);
  }
}

/** Σ of up to F32_TERMS lines of f32. */
// @ts-ignore: decorator
@inline
function columnSum32(p: usize, n: usize, width: usize): v128 {
  let sum = v128.load(p);
  for (const end = p + n * width; (p += width) < end; ) sum = f32x4.add(sum, v128.load(p));
  return sum;
}

function columnSum64(p: usize, n: usize): v128 {
  let sum = f64x2.splat(0), lost = sum;
  for (const end = p + n * LINE_BYTES; p < end; ) {
    let s = f64x2.splat(0);
    for (const stop = min(end, p + PARTIAL_LINES * LINE_BYTES); p < stop; p += LINE_BYTES) s = f64x2.add(s, v128.load(p));
    const total = f64x2.add(sum, s);
    if (n > EXP_PLAIN_LINES) lost = f64x2.add(lost, laneRounding(sum, s, total));
    sum = total;
  }
  return f64x2.add(sum, lost);
}

// The sums of f32, in float64, as widen adds them in a row: lines i and i + 4 of each eight are a pair. The sums of even
// and of odd pairs are apart, of two rows in a vector each: four vectors for a column, in memory.
const HIGH: usize = TILE_BYTES;
const ODD: usize = 2 * TILE_BYTES;

/** Clears the totals of columns `width` bytes wide. */
// @ts-ignore: decorator
@inline
function clearTotals(width: usize, totals: usize): void {
  for (let part: usize = 0; part < 4; part++) memory.fill(totals + EXP_SUM + part * TILE_BYTES, 0, width);
}

/** Adds up to eight lines, `width` bytes apart, of a column to its totals. */
// @ts-ignore: decorator
@inline
function addLines(p: usize, lines: usize, width: usize, totals: usize): void {
  const p4 = p + 4 * width;
  if (lines == 8) {
    const a = f32x4.add(v128.load(p), v128.load(p4));
    const b = f32x4.add(v128.load(p + width), v128.load(p4 + width));
    const c = f32x4.add(v128.load(p + 2 * width), v128.load(p4 + 2 * width));
    const d = f32x4.add(v128.load(p + 3 * width), v128.load(p4 + 3 * width));
    addPairs(a, c, totals);
    addPairs(b, d, totals + ODD);
    return;
  }
  const zero = f32x4.splat(0);
  for (let i: usize = 0; i < min(<usize>2, lines); i++, p += width, totals += ODD) {
    let a = v128.load(p), b = i + 2 < lines ? v128.load(p + 2 * width) : zero;
    if (i + 4 < lines) a = f32x4.add(a, v128.load(p + 4 * width));
    if (i + 6 < lines) b = f32x4.add(b, v128.load(p + 6 * width));
    addPairs(a, b, totals);
  }
}

// @ts-ignore: decorator
@inline
function addPairs(a: v128, b: v128, totals: usize): void {
  const low = f64x2.add(promoteLow(a), promoteLow(b)), high = f64x2.add(promoteHigh(a), promoteHigh(b));
  v128.store(totals, f64x2.add(v128.load(totals, EXP_SUM), low), EXP_SUM);
  v128.store(totals, f64x2.add(v128.load(totals, EXP_SUM + HIGH), high), EXP_SUM + HIGH);
}

/** 1 / the totals of a column. */
// @ts-ignore: decorator
@inline
function reciprocal(totals: usize): v128 {
  const one = f64x2.splat(1);
  const low = f64x2.add(v128.load(totals, EXP_SUM), v128.load(totals, EXP_SUM + ODD));
  const high = f64x2.add(v128.load(totals, EXP_SUM + HIGH), v128.load(totals, EXP_SUM + ODD + HIGH));
  return demote(f64x2.div(one, low), f64x2.div(one, high));
}

/**
 * Softmax of the rows of f32 in a tile: `width` bytes, whole lines, of each of n lines that are `stride` bytes apart. The
 * bits are those of gather, blockExp and scatter. Returns false, and writes nothing to y, unless every |x| ≤ normalLimit.
 */
export function tileSoftmax(
  x: usize, y: usize, stride: usize, n: usize, width: usize, temperature: f64, scratch: usize
): bool {
  const bound = v128.splat<f32>(normalLimit(temperature, n)), tile = scratch + HEADER_BYTES, end = tile + n * width;
  let range = rangeStart<f32>(), p = tile;
  clearTotals(width, scratch);
  while (p < end) {
    // Eight lines at a time, which are added while they are in the fastest cache.
    const first = p, lines = min<usize>(8, (end - p) / width);
    for (let line: usize = 0; line < lines; line++, x += stride) {
      for (const lineEnd = p + width, from = x - p; p < lineEnd; p += LINE_BYTES) {
        reduceFour(SOFTMAX_STEPS<f32>(), from + p, 16, scratch);
        range = rangeOfFour(range, from + p, 16, bound);
        finishFour(false, scratch);
        storeFour(p, 16);
      }
    }
    for (let at: usize = 0; at < width; at += 16) addLines(first + at, lines, width, scratch + at);
  }
  if (!rangeHolds<f32>(range, bound)) return false;
  for (let at: usize = 0; at < width; at += 16) {
    const one = oneVector<f32>(scratch);
    const factor = n <= F32_TERMS ? f32x4.div(one, columnSum32(tile + at, n, width)) : reciprocal(scratch + at);
    v128.store(scratch + at, factor, FACTOR);
  }
  if (width == LINE_BYTES) scatterStrided<f32>(tile, y, stride, n, BLOCK_ROWS<f32>(), scratch);
  else for (p = tile; p < end; y += stride - width) {
    for (let at: usize = 0; at < width; at += 16, p += 16, y += 16) {
      v128.store(y, f32x4.mul(v128.load(p), v128.load(scratch + at, FACTOR)));
    }
  }
  return true;
}

/**
 * Prepares the max-shifted form for a column. Rows in range get neutral parameters, and with them the unshifted bits.
 */
export function prepareColumn<T>(column: usize, n: usize, maxima: v128, temperature: f64, scratch: usize): void {
  const area = scratch + PREPARE;
  v128.store(area, maxima);
  v128.store(area, columnRange<T>(column, n, unshiftedLimit<T>(temperature)), 16);
  for (let lane: usize = 0; lane < lanes<T>(); lane++) {
    const at = area + lane * sizeof<T>();
    prepareLane<T>(scratch, lane, load<T>(at), load<u32>(at, 16) != 0, temperature);
  }
}
