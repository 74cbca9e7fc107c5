// Transposition, 2, 3 and 4 wide.

import { lanes } from "./lanes";

// @ts-ignore: decorator
@inline
export function interleaveLow(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(a, b, 0, 4, 1, 5);
}

// @ts-ignore: decorator
@inline
export function interleaveHigh(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(a, b, 2, 6, 3, 7);
}

/** Lanes 0 and 2 of a, then of b. */
// @ts-ignore: decorator
@inline
export function evenLanes(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(a, b, 0, 2, 4, 6);
}

/** Lanes 1 and 3 of a, then of b. */
// @ts-ignore: decorator
@inline
export function oddLanes(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(a, b, 1, 3, 5, 7);
}

// @ts-ignore: decorator
@inline
export function lowHalves(a: v128, b: v128): v128 {
  return v128.shuffle<i64>(a, b, 0, 2);
}

// @ts-ignore: decorator
@inline
export function highHalves(a: v128, b: v128): v128 {
  return v128.shuffle<i64>(a, b, 1, 3);
}

/** Stores the transpose of four vectors of f32: lanes 0 to y0, lanes 1 to y1, …; of these the first `count`. */
// @ts-ignore: decorator
@inline
export function storeTransposed(
  a: v128, b: v128, c: v128, d: v128, y0: usize, y1: usize, y2: usize, y3: usize, count: usize
): void {
  const low01 = interleaveLow(a, b), high01 = interleaveHigh(a, b);
  const low23 = interleaveLow(c, d), high23 = interleaveHigh(c, d);
  v128.store(y0, lowHalves(low01, low23));
  if (count > 1) v128.store(y1, highHalves(low01, low23));
  if (count > 2) v128.store(y2, lowHalves(high01, high23));
  if (count > 3) v128.store(y3, highHalves(high01, high23));
}

/** Columns of a matrix, a vector's width of them, n elements `stride` bytes apart, to rows `rowBytes` apart. */
export function columnsToRows<T>(x: usize, stride: usize, n: usize, y: usize, rowBytes: usize): void {
  const y1 = y + rowBytes, y2 = y1 + rowBytes, y3 = y2 + rowBytes;
  const rest = n % lanes<T>(), end = (n - rest) * sizeof<T>(), step = stride * lanes<T>();
  let at: usize = 0;
  for (; at < end; at += 16, x += step) {
    const a = v128.load(x), b = v128.load(x + stride);
    if (sizeof<T>() == 4) {
      const c = v128.load(x + 2 * stride), d = v128.load(x + 3 * stride);
      storeTransposed(a, b, c, d, y + at, y1 + at, y2 + at, y3 + at, 4);
    } else {
      v128.store(y + at, lowHalves(a, b));
      v128.store(y1 + at, highHalves(a, b));
    }
  }
  for (let i: usize = 0; i < rest; i++, at += sizeof<T>(), x += stride) {
    const v = v128.load(x);
    v128.store_lane<T>(y + at, v, 0);
    v128.store_lane<T>(y1 + at, v, 1);
    if (sizeof<T>() == 4) {
      v128.store_lane<f32>(y2 + at, v, 2);
      v128.store_lane<f32>(y3 + at, v, 3);
    }
  }
}

/** n pairs to two rows that begin `step` bytes apart. */
export function split2(x: usize, y: usize, step: usize, n: usize): void {
  let y1 = y + step, i: usize = 0;
  for (; i + 4 <= n; i += 4, x += 32, y += 16, y1 += 16) {
    const a = v128.load(x), b = v128.load(x, 16);
    v128.store(y, evenLanes(a, b));
    v128.store(y1, oddLanes(a, b));
  }
  for (; i < n; i++, x += 8, y += 4, y1 += 4) {
    store<u32>(y, load<u32>(x));
    store<u32>(y1, load<u32>(x, 4));
  }
}

/** Two rows that begin `step` bytes apart to n pairs. */
export function join2(x: usize, step: usize, y: usize, n: usize): void {
  let x1 = x + step, i: usize = 0;
  for (; i + 4 <= n; i += 4, y += 32, x += 16, x1 += 16) {
    const a = v128.load(x), b = v128.load(x1);
    v128.store(y, interleaveLow(a, b));
    v128.store(y, interleaveHigh(a, b), 16);
  }
  for (; i < n; i++, y += 8, x += 4, x1 += 4) {
    store<u32>(y, load<u32>(x));
    store<u32>(y, load<u32>(x1), 4);
  }
}

/** n triples to three rows that begin `step` bytes apart. */
export function split3(x: usize, y: usize, step: usize, n: usize): void {
  let y1 = y + step, y2 = y1 + step, i: usize = 0;
  for (; i + 4 <= n; i += 4, x += 48, y += 16, y1 += 16, y2 += 16) {
    const a = v128.load(x), b = v128.load(x, 16), c = v128.load(x, 32);
    v128.store(y, v128.shuffle<i32>(v128.shuffle<i32>(a, b, 0, 3, 6, 6), c, 0, 1, 2, 5));
    v128.store(y1, v128.shuffle<i32>(v128.shuffle<i32>(a, b, 1, 4, 7, 7), c, 0, 1, 2, 6));
    v128.store(y2, v128.shuffle<i32>(v128.shuffle<i32>(a, b, 2, 5, 5, 5), c, 0, 1, 4, 7));
  }
  for (; i < n; i++, x += 12, y += 4, y1 += 4, y2 += 4) {
    store<u32>(y, load<u32>(x));
    store<u32>(y1, load<u32>(x, 4));
    store<u32>(y2, load<u32>(x, 8));
  }
}

/** Three rows that begin `step` bytes apart to n triples. */
export function join3(x: usize, step: usize, y: usize, n: usize): void {
  let x1 = x + step, x2 = x1 + step, i: usize = 0;
  for (; i + 4 <= n; i += 4, y += 48, x += 16, x1 += 16, x2 += 16) {
    const a = v128.load(x), b = v128.load(x1), c = v128.load(x2);
    v128.store(y, v128.shuffle<i32>(v128.shuffle<i32>(a, b, 0, 4, 1, 1), c, 0, 1, 4, 2));
    v128.store(y, v128.shuffle<i32>(v128.shuffle<i32>(a, b, 5, 2, 6, 6), c, 0, 5, 1, 2), 16);
    v128.store(y, v128.shuffle<i32>(v128.shuffle<i32>(a, b, 3, 3, 7, 7), c, 6, 0, 2, 7), 32);
  }
  for (; i < n; i++, y += 12, x += 4, x1 += 4, x2 += 4) {
    store<u32>(y, load<u32>(x));
    store<u32>(y, load<u32>(x1), 4);
    store<u32>(y, load<u32>(x2), 8);
  }
}
