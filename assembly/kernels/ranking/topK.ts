// topK: the k largest elements of each row of [outer, n, inner] and their indices, the largest first; 1 ≤ k ≤ n. Equal
// elements keep their order, NaN come first. values is T, indices i32, both [outer, k, inner].
//
// One pass over a row compares vectors with a threshold, the k-th largest so far, and collects what is above it in a
// buffer. When the buffer is full, the k largest are selected (Hoare's quickselect) and the threshold rises. What is
// left at the end is sorted (quicksort). Pivots are drawn by a generator that starts alike for every row. A candidate
// is an integer that orders elements as above, ties included, so no two are equal.
//
// Strided rows are transposed into the scratch, as many at a time as make a block. values may be x where k = n; nothing
// else overlaps. buffer: `capacity` candidates, n or at least k + 16 of them. Nothing is rounded.

import { checkApart, checkArray, checkSameOrApart, checkScratch } from "../../contracts";
import { HEADER_BYTES, LINE_BYTES } from "../../scratch";
import { BLOCK_ROWS } from "../../shape";
import { laneBits, lanes } from "../../simd/lanes";
import { columnsToRows } from "../../simd/transpose";

/** Bytes of a candidate. f32: the key above the inverted index, in one u64. f64: a u64 each. */
// @ts-ignore: decorator
@inline
function CANDIDATE<T>(): usize {
  return sizeof<T>() == 4 ? 8 : 16;
}

/** Up to so many candidates are sorted by insertion. */
const INSERTION: usize = 12;

export function topK<T>(
  x: usize, values: usize, indices: usize, outer: usize, n: usize, inner: usize, k: usize, buffer: usize,
  capacity: usize, scratch: usize
): void {
  checkArray<T>(x, outer * n * inner);
  checkArray<T>(values, outer * k * inner);
  checkArray<i32>(indices, outer * k * inner);
  checkSameOrApart(x, outer * n * inner * sizeof<T>(), values, outer * k * inner * sizeof<T>());
  checkApart(x, outer * n * inner * sizeof<T>(), indices, (outer * k * inner) << 2);
  checkApart(values, outer * k * inner * sizeof<T>(), indices, (outer * k * inner) << 2);
  checkScratch(scratch);
  assert(buffer % 8 == 0, "the buffer is not aligned to candidates");
  assert(k > 0 && k <= n, "k is not in [1, n]");
  assert(capacity >= n || capacity >= k + 16, "the buffer is too small");
  for (let o: usize = 0; o < outer; o++) {
    if (inner == 1) topKOf<T>(x, n, k, values, indices, 1, buffer, capacity);
    else stridedForm<T>(x, n, inner, k, values, indices, buffer, capacity, scratch);
    x += n * inner * sizeof<T>();
    values += k * inner * sizeof<T>();
    indices += (k * inner) << 2;
  }
}

/** Strided rows. The last ones are moved back to be a whole vector: rows that it holds again are done. */
function stridedForm<T>(
  x: usize, n: usize, inner: usize, k: usize, values: usize, indices: usize, buffer: usize, capacity: usize,
  scratch: usize
): void {
  assert(inner >= lanes<T>(), "an inner axis is shorter than a vector");
  // Rows a power of two apart would evict each other from the cache.
  const rowBytes = ((n * sizeof<T>() + 15) & ~15) + 64;
  const width = min(BLOCK_ROWS<T>(), inner);
  assert(width * rowBytes <= HEADER_BYTES + n * LINE_BYTES, "the transposed rows are larger than a block");
  for (let first: usize = 0; first < inner; first += width) {
    const start = min(first, inner - width);
    for (let column: usize = 0; column < width; column += lanes<T>()) {
      const at = min(column, width - lanes<T>());
      columnsToRows<T>(x + (start + at) * sizeof<T>(), inner * sizeof<T>(), n, scratch + at * rowBytes, rowBytes);
    }
    for (let column = first; column < start + width; column++) {
      const row = scratch + (column - start) * rowBytes;
      topKOf<T>(row, n, k, values + column * sizeof<T>(), indices + (column << 2), inner, buffer, capacity);
    }
  }
}

/** One row; its results are `step` elements apart. */
function topKOf<T>(
  x: usize, n: usize, k: usize, values: usize, indices: usize, step: usize, buffer: usize, capacity: usize
): void {
  const count = collect<T>(x, n, k, buffer, capacity);
  if (count > k) select<T>(buffer, count, k);
  const end = buffer + k * CANDIDATE<T>();
  sort<T>(buffer, end - CANDIDATE<T>());
  // Values replace the keys before any result is written: values may be x.
  for (let p = buffer; p < end; p += CANDIDATE<T>()) store<T>(p, load<T>(x + indexOf<T>(p) * sizeof<T>()), KEY<T>());
  for (let p = buffer; p < end; p += CANDIDATE<T>()) {
    store<T>(values, load<T>(p, KEY<T>()));
    store<i32>(indices, <i32>indexOf<T>(p));
    values += step * sizeof<T>();
    indices += step << 2;
  }
}

/** Fills the buffer with candidates, all of the k largest among them; returns how many. */
function collect<T>(x: usize, n: usize, k: usize, buffer: usize, capacity: usize): usize {
  const width = <i32>lanes<T>(), group = <usize>(4 * width);
  let count = min(n, capacity), i = count;
  for (let j: usize = 0; j < count; j++) put<T>(x, j, buffer, j);
  while (i < n) {
    select<T>(buffer, count, k);
    count = k;
    const last = x + indexOf<T>(buffer + (k - 1) * CANDIDATE<T>()) * sizeof<T>();
    const least = load<T>(last), threshold = v128.load_splat<T>(last);
    // Only an earlier NaN comes before a NaN.
    if (least != least) break;
    for (; i + group <= n && count + group <= capacity; i += group) {
      const p = x + i * sizeof<T>();
      // Not "above", which would miss NaN.
      const b0 = v128.le<T>(v128.load(p), threshold), b1 = v128.le<T>(v128.load(p, 16), threshold);
      const b2 = v128.le<T>(v128.load(p, 32), threshold), b3 = v128.le<T>(v128.load(p, 48), threshold);
      const below = v128.and(v128.and(b0, b1), v128.and(b2, b3));
      if (laneBits<T>(below) == (1 << width) - 1) continue;
      let above = ~(
        laneBits<T>(b0) | (laneBits<T>(b1) << width) |
        (laneBits<T>(b2) << (2 * width)) | (laneBits<T>(b3) << (3 * width))
      ) & ((1 << (4 * width)) - 1);
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
function KEY<T>(): usize {
  return sizeof<T>() == 4 ? 4 : 0;
}

// @ts-ignore: decorator
@inline
function INDEX<T>(): usize {
  return sizeof<T>() == 4 ? 0 : 8;
}

/** Makes element i candidate number `at`. */
// @ts-ignore: decorator
@inline
function put<T>(x: usize, i: usize, buffer: usize, at: usize): void {
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
function indexOf<T>(candidate: usize): usize {
  return ~load<u32>(candidate, INDEX<T>());
}

/** Whether candidate a comes before b; f64 has a second word for each. */
// @ts-ignore: decorator
@inline
function isBefore<T>(a: u64, aRest: u64, b: u64, bRest: u64): bool {
  return a > b || (sizeof<T>() == 8 && a == b && aRest > bRest);
}

// @ts-ignore: decorator
@inline
function restOf<T>(candidate: usize): u64 {
  return sizeof<T>() == 8 ? load<u64>(candidate, 8) : 0;
}

/** Moves the first k candidates to the front, and the last of these to index k − 1. */
function select<T>(buffer: usize, count: usize, k: usize): void {
  const place = buffer + (k - 1) * CANDIDATE<T>();
  let low = buffer, high = buffer + (count - 1) * CANDIDATE<T>();
  let random: u32 = 1;
  while (low < high) {
    random = random * 1664525 + 1013904223;
    const middle = partition<T>(low, high, random);
    if (place <= middle) high = middle;
    else low = middle + CANDIDATE<T>();
  }
}

/** Sorts the candidates from low to high, both inclusive. */
function sort<T>(low: usize, high: usize): void {
  let random: u32 = 1;
  while (high > low + INSERTION * CANDIDATE<T>()) {
    random = random * 1664525 + 1013904223;
    const middle = partition<T>(low, high, random);
    // Recursion into the shorter side: its depth is at most logarithmic.
    if (middle - low < high - middle) {
      sort<T>(low, middle);
      low = middle + CANDIDATE<T>();
    } else {
      sort<T>(middle + CANDIDATE<T>(), high);
      high = middle;
    }
  }
  for (let next = low + CANDIDATE<T>(); next <= high; next += CANDIDATE<T>()) {
    const word = load<u64>(next), rest = restOf<T>(next);
    let p = next;
    for (; p > low; p -= CANDIDATE<T>()) {
      const before = p - CANDIDATE<T>();
      if (!isBefore<T>(word, rest, load<u64>(before), restOf<T>(before))) break;
      move<T>(p, load<u64>(before), restOf<T>(before));
    }
    move<T>(p, word, rest);
  }
}

// @ts-ignore: decorator
@inline
function move<T>(candidate: usize, word: u64, rest: u64): void {
  store<u64>(candidate, word);
  if (sizeof<T>() == 8) store<u64>(candidate, rest, 8);
}

/** Hoare's partition: nothing from low to the result, which is below high, comes after anything behind it. */
function partition<T>(low: usize, high: usize, random: u32): usize {
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
