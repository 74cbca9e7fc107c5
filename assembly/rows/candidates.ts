// Candidates of a ranking: integers that order elements of a row, the largest first, ties included. Equal elements keep
// their order, NaN come first, and no two candidates are equal.

import { laneBits, laneBitsOfFour, laneMax, lanes } from "../simd/lanes";

/** Bytes of a candidate. f32: the key above the inverted index, in one u64. f64: a u64 each. */
// @ts-ignore: decorator
@inline
export function CANDIDATE<T>(): usize {
  return sizeof<T>() == 4 ? 8 : 16;
}

/** The largest k for which a bound is found before any element is collected. */
const BOUND_K: usize = 8;

/** The most elements that are read to find the bound. */
const BOUND_ELEMENTS: usize = 4096;

/** The parts of a row whose maxima give the bound: as many as four vectors have lanes. */
// @ts-ignore: decorator
@inline
function PARTS<T>(): usize {
  return 64 / sizeof<T>();
}

/** Whether boundBelow looks for a bound. */
// @ts-ignore: decorator
@inline
export function hasBound<T>(n: usize, k: usize): bool {
  return k <= BOUND_K && k <= PARTS<T>() / 2 && n >= 2 * PARTS<T>();
}

/**
 * A bound that at least k elements exceed, and few others: the next number below the k-th largest maximum of the PARTS
 * of the row or, if it is long, of its first BOUND_ELEMENTS. NaN if hasBound is false or that maximum is −∞.
 */
function boundBelow<T>(x: usize, n: usize, k: usize): T {
  const least = v128.splat<T>(<T>(-Infinity)), parts = PARTS<T>();
  if (!hasBound<T>(n, k)) return <T>NaN;
  let m0 = least, m1 = least, m2 = least, m3 = least;
  // pmax returns its first argument where the second is NaN.
  const some = min(n, BOUND_ELEMENTS);
  for (const end = x + (some - some % parts) * sizeof<T>(); x < end; x += 64) {
    m0 = v128.pmax<T>(m0, v128.load(x));
    m1 = v128.pmax<T>(m1, v128.load(x, 16));
    m2 = v128.pmax<T>(m2, v128.load(x, 32));
    m3 = v128.pmax<T>(m3, v128.load(x, 48));
  }
  let maximum: T = 0;
  for (let i: usize = 0; i < k; i++) {
    maximum = laneMax<T>(v128.pmax<T>(v128.pmax<T>(m0, m1), v128.pmax<T>(m2, m3)));
    const m = v128.splat<T>(maximum);
    m0 = v128.bitselect(least, m0, v128.eq<T>(m0, m));
    m1 = v128.bitselect(least, m1, v128.eq<T>(m1, m));
    m2 = v128.bitselect(least, m2, v128.eq<T>(m2, m));
    m3 = v128.bitselect(least, m3, v128.eq<T>(m3, m));
  }
  return maximum == -Infinity ? <T>NaN : nextBelow<T>(maximum);
}

// @ts-ignore: decorator
@inline
function nextBelow<T>(value: T): T {
  if (sizeof<T>() == 4) {
    const bits = reinterpret<i32>(<f32>value);
    return <T>(value == 0 ? reinterpret<f32>(i32.MIN_VALUE + 1) : reinterpret<f32>(value > 0 ? bits - 1 : bits + 1));
  }
  const bits = reinterpret<i64>(<f64>value);
  return <T>(value == 0 ? reinterpret<f64>(i64.MIN_VALUE + 1) : reinterpret<f64>(value > 0 ? bits - 1 : bits + 1));
}

/** Fills the buffer with candidates, among them the k largest elements; returns how many. */
export function collect<T>(x: usize, n: usize, k: usize, buffer: usize, capacity: usize): usize {
  const group = 4 * lanes<T>();
  let least = boundBelow<T>(x, n, k), count: usize = 0, i: usize = 0;
  if (isNaN<T>(least)) {
    count = min(n, capacity);
    for (; i < count; i++) put<T>(x, i, buffer, i);
  }
  while (i < n) {
    if (count) {
      select<T>(buffer, count, k);
      count = k;
      least = load<T>(x + indexOf<T>(buffer + (k - 1) * CANDIDATE<T>()) * sizeof<T>());
    }
    const threshold = v128.splat<T>(least);
    // The threshold is NaN, and only an earlier NaN comes before a NaN.
    if (least != least) break;
    for (; i + group <= n && count + group <= capacity; i += group) {
      const p = x + i * sizeof<T>();
      // Not `gt`, which would miss NaN.
      const b0 = v128.le<T>(v128.load(p), threshold), b1 = v128.le<T>(v128.load(p, 16), threshold);
      const b2 = v128.le<T>(v128.load(p, 32), threshold), b3 = v128.le<T>(v128.load(p, 48), threshold);
      const below = v128.and(v128.and(b0, b1), v128.and(b2, b3));
      if (laneBits<T>(below) == (1 << <i32>lanes<T>()) - 1) continue;
      let above = ~laneBitsOfFour<T>(b0, b1, b2, b3) & ((1 << <i32>group) - 1);
      for (; above != 0; above &= above - 1) put<T>(x, i + ctz(above), buffer, count++);
    }
    if (i + group <= n) continue;
    for (; i < n && count < capacity; i++) if (!(load<T>(x + i * sizeof<T>()) <= least)) put<T>(x, i, buffer, count++);
  }
  return count;
}

// Offsets of a candidate's parts.
// @ts-ignore: decorator
@inline
export function KEY<T>(): usize {
  return sizeof<T>() == 4 ? 4 : 0;
}

// @ts-ignore: decorator
@inline
function INDEX<T>(): usize {
  return sizeof<T>() == 4 ? 0 : 8;
}

/** Writes element i as candidate number `at`. */
// @ts-ignore: decorator
@inline
export function put<T>(x: usize, i: usize, buffer: usize, at: usize): void {
  // −0 becomes 0: the two are equal.
  const value = load<T>(x + i * sizeof<T>()) + 0, candidate = buffer + at * CANDIDATE<T>();
  if (sizeof<T>() == 4) {
    const bits = reinterpret<i32>(<f32>value), key = bits ^ ((bits >> 31) | i32.MIN_VALUE);
    store<u32>(candidate, value == value ? key : -1, KEY<T>());
    store<u32>(candidate, ~(<u32>i), INDEX<T>());
  } else {
    const bits = reinterpret<i64>(<f64>value), key = bits ^ ((bits >> 63) | i64.MIN_VALUE);
    store<u64>(candidate, value == value ? key : -1, KEY<T>());
    store<u64>(candidate, ~(<u64>i), INDEX<T>());
  }
}

// @ts-ignore: decorator
@inline
export function indexOf<T>(candidate: usize): usize {
  return ~load<u32>(candidate, INDEX<T>());
}

/** The key of a candidate, which equal elements share. */
// @ts-ignore: decorator
@inline
export function keyOf<T>(candidate: usize): u64 {
  return sizeof<T>() == 4 ? load<u32>(candidate, KEY<T>()) : load<u64>(candidate, KEY<T>());
}

/** Whether candidate a comes before b; f64 has a second word for each. */
// @ts-ignore: decorator
@inline
export function isBefore<T>(a: u64, aRest: u64, b: u64, bRest: u64): bool {
  return a > b || (sizeof<T>() == 8 && a == b && aRest > bRest);
}

// @ts-ignore: decorator
@inline
export function restOf<T>(candidate: usize): u64 {
  return sizeof<T>() == 8 ? load<u64>(candidate, 8) : 0;
}

/**
 * The most partitions for `count` candidates, enough unless they were chosen against our pivots: heapSort does the rest
 * then, as in Musser, Introspective sorting and selection algorithms, 1997.
 */
export function mostPartitions(count: usize): i32 {
  return 2 * (32 - clz<i32>(<i32>count));
}

/** Moves the first k candidates to the front, and the last of these to index k − 1. */
export function select<T>(buffer: usize, count: usize, k: usize): void {
  const place = buffer + (k - 1) * CANDIDATE<T>();
  let low = buffer, high = buffer + (count - 1) * CANDIDATE<T>(), partitions = mostPartitions(count);
  let random: u32 = 1;
  while (low < high) {
    if (!partitions--) {
      heapSort<T>(low, high);
      return;
    }
    random = random * 1664525 + 1013904223;
    const middle = partition<T>(low, high, random);
    if (place <= middle) high = middle;
    else low = middle + CANDIDATE<T>();
  }
}

// @ts-ignore: decorator
@inline
export function move<T>(candidate: usize, word: u64, rest: u64): void {
  store<u64>(candidate, word);
  if (sizeof<T>() == 8) store<u64>(candidate, rest, 8);
}

/**
 * Hoare's partition: no candidate from low to the result comes after any candidate behind the result, which is below
 * high.
 */
export function partition<T>(low: usize, high: usize, random: u32): usize {
  const choices = (high - low) / CANDIDATE<T>();
  const pivot = low + <usize>((<u64>random * choices) >> 32) * CANDIDATE<T>();
  const word = load<u64>(pivot), rest = restOf<T>(pivot);
  let i = low - CANDIDATE<T>(), j = high + CANDIDATE<T>();
  while (true) {
    do {
      i += CANDIDATE<T>();
    } while (isBefore<T>(load<u64>(i), restOf<T>(i), word, rest));
    do {
      j -= CANDIDATE<T>();
    } while (isBefore<T>(word, rest, load<u64>(j), restOf<T>(j)));
    if (i >= j) return j;
    const moved = load<u64>(i), movedRest = restOf<T>(i);
    move<T>(i, load<u64>(j), restOf<T>(j));
    move<T>(j, moved, movedRest);
  }
}

/** Sorts the candidates from low to high, both inclusive, in at most n log n steps. */
export function heapSort<T>(low: usize, high: usize): void {
  let count = (high - low) / CANDIDATE<T>() + 1;
  for (let i = count >> 1; i > 0; i--) siftDown<T>(low, i - 1, count);
  while (count > 1) {
    const last = low + --count * CANDIDATE<T>(), word = load<u64>(last), rest = restOf<T>(last);
    move<T>(last, load<u64>(low), restOf<T>(low));
    move<T>(low, word, rest);
    siftDown<T>(low, 0, count);
  }
}

/** Restores a heap, whose root comes last in the order, where candidate `at` may come before its children. */
function siftDown<T>(heap: usize, at: usize, count: usize): void {
  let hole = heap + at * CANDIDATE<T>();
  const word = load<u64>(hole), rest = restOf<T>(hole);
  for (let child = (at << 1) + 1; child < count; child = (child << 1) + 1) {
    let next = heap + child * CANDIDATE<T>();
    const right = next + CANDIDATE<T>();
    if (child + 1 < count && isBefore<T>(load<u64>(next), restOf<T>(next), load<u64>(right), restOf<T>(right))) {
      next = right;
      child++;
    }
    if (!isBefore<T>(word, rest, load<u64>(next), restOf<T>(next))) break;
    move<T>(hole, load<u64>(next), restOf<T>(next));
    hole = next;
  }
  move<T>(hole, word, rest);
}
