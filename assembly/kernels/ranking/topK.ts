// topK: the k largest elements of each row of [outer, n, inner] and their indices, the largest first; 1 ≤ k ≤ n. Equal
// elements keep their order, NaN come first. values is T, indices i32, both [outer, k, inner].
//
// One pass over a row compares vectors with a threshold, the k-th largest element so far, and collects the elements
// above it in a buffer. If k is small, a pass over the beginning of the row finds a first threshold that at least k
// elements exceed, and few others. When the buffer is full, Hoare's quickselect moves the k largest to the front, and
// the threshold rises. The candidates left at the end are ranked if they are few, else sorted by quicksort. Pivots come
// from a generator that starts alike for every row; where they turn out bad, heapsort does the rest. A candidate is an
// integer that orders elements as above, ties included, so no two are equal.
//
// Short rows of f32 need none of this, unless they get a first threshold: the place of each element is the number of
// elements that come before it, counted for 16 elements at a time. No branch depends on the data.
//
// Strided rows are transposed into the scratch, as many at a time as fit into a block. values may be x where k = n;
// nothing else overlaps. buffer: `capacity` candidates, n or at least k + 16 of them. Nothing is rounded.

import { checkApart, checkArray, checkOutside, checkSameOrApart, checkScratch, scratchBytes } from "../../contracts";
import {
  CANDIDATE, KEY, collect, hasBound, heapSort, indexOf, isBefore, mostPartitions, move, partition, restOf, select
} from "../../rows/candidates";
import { HEADER_BYTES, LINE_BYTES } from "../../scratch";
import { BLOCK_ROWS, isShort } from "../../shape";
import { lanes, ones } from "../../simd/lanes";
import { columnsToRows } from "../../simd/transpose";

/** The most elements of a short row of f32. */
const MOST_COUNTED: usize = 64;
/** The most candidates that are ranked. */
const MOST_RANKED: usize = 24;
/** The most candidates of a quicksort's part that are sorted by insertion. */
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
  const size = scratchBytes(n, inner);
  checkScratch(scratch, size);
  checkOutside(scratch, size, x, outer * n * inner * sizeof<T>());
  checkOutside(scratch, size, values, outer * k * inner * sizeof<T>());
  checkOutside(scratch, size, indices, (outer * k * inner) << 2);
  checkOutside(scratch, size, buffer, capacity * CANDIDATE<T>());
  assert(buffer % 8 == 0, "the buffer is not aligned to candidates");
  assert(k > 0 && k <= n, "k is not in [1, n]");
  assert(capacity >= n || capacity >= k + 16, "the buffer is too small");
  if (isShort<T>(n, inner) && n <= MOST_COUNTED && !hasBound<T>(n, k)) {
    shortForm(x, values, indices, outer, n, k, scratch + HEADER_BYTES);
    return;
  }
  for (let o: usize = 0; o < outer; o++) {
    if (inner == 1) topKOf<T>(x, n, k, values, indices, 1, buffer, capacity);
    else stridedForm<T>(x, n, inner, k, values, indices, buffer, capacity, scratch);
    x += n * inner * sizeof<T>();
    values += k * inner * sizeof<T>();
    indices += (k * inner) << 2;
  }
}

/** Short rows of at least a vector: the place of each element is the number of elements that come before it. */
function shortForm(x: usize, values: usize, indices: usize, outer: usize, n: usize, k: usize, lines: usize): void {
  const keys = lines, places = keys + (n << 2), row = places + (n << 2), unwanted = row + (n << 2);
  for (let o: usize = 0; o < outer; o++) {
    // The last vector ends with the row and may overlap the one before it: both write the same values.
    for (let i: usize = 0; i < n; i += 4) {
      const at = min(i, n - 4) << 2, v = v128.load(x + at);
      v128.store(row + at, v);
      v128.store(keys + at, keysOf(v));
    }
    for (let i: usize = 0; i < n; i += 16) countBefore(keys, n, i, places);
    // From the copy: values may be x.
    for (let i: usize = 0; i < n; i++) {
      const place = load<u32>(places + (i << 2)), at = place << 2, isWanted = place < k;
      store<f32>(isWanted ? values + at : unwanted, load<f32>(row + (i << 2)));
      store<u32>(isWanted ? indices + at : unwanted, <u32>i);
    }
    x += n << 2;
    values += k << 2;
    indices += k << 2;
  }
}

/** Integers in the order of the f32 numbers, NaN the largest and −0 equal to 0. */
// @ts-ignore: decorator
@inline
function keysOf(x: v128): v128 {
  const bits = f32x4.add(x, f32x4.splat(0));
  const keys = v128.xor(bits, i32x4.shr_u(i32x4.shr_s(bits, 31), 1));
  return v128.bitselect(keys, i32x4.splat(i32.MAX_VALUE), f32x4.eq(x, x));
}

/** How many of n elements come before each of 16 of them, by their keys; of equal elements the first comes first. */
function countBefore(keys: usize, n: usize, first: usize, places: usize): void {
  const last = n - 4, i0 = min(first, last), i1 = min(first + 4, last), i2 = min(first + 8, last);
  const i3 = min(first + 12, last);
  const k0 = v128.load(keys + (i0 << 2)), k1 = v128.load(keys + (i1 << 2));
  const k2 = v128.load(keys + (i2 << 2)), k3 = v128.load(keys + (i3 << 2));
  const lane = i32x4(0, 1, 2, 3), one = ones<f32>();
  const j0 = i32x4.add(lane, i32x4.splat(<i32>i0)), j1 = i32x4.add(lane, i32x4.splat(<i32>i1));
  const j2 = i32x4.add(lane, i32x4.splat(<i32>i2)), j3 = i32x4.add(lane, i32x4.splat(<i32>i3));
  let c0 = i32x4.splat(0), c1 = c0, c2 = c0, c3 = c0, j = c0;
  for (let p = keys, end = keys + (n << 2); p < end; p += 4) {
    const key = v128.load32_splat(p);
    // Elements ahead of i also come before it if they are equal, so they are compared with the key of i less one.
    c0 = i32x4.sub(c0, i32x4.gt_s(key, i32x4.add(k0, i32x4.gt_s(j0, j))));
    c1 = i32x4.sub(c1, i32x4.gt_s(key, i32x4.add(k1, i32x4.gt_s(j1, j))));
    c2 = i32x4.sub(c2, i32x4.gt_s(key, i32x4.add(k2, i32x4.gt_s(j2, j))));
    c3 = i32x4.sub(c3, i32x4.gt_s(key, i32x4.add(k3, i32x4.gt_s(j3, j))));
    j = i32x4.add(j, one);
  }
  v128.store(places + (i0 << 2), c0);
  v128.store(places + (i1 << 2), c1);
  v128.store(places + (i2 << 2), c2);
  v128.store(places + (i3 << 2), c3);
}

/**
 * Strided rows, transposed in whole vectors. The last vector is moved back to be full; rows that were done are skipped.
 */
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
  let first = buffer;
  if (count <= MOST_RANKED && count <= capacity - count) {
    first = buffer + count * CANDIDATE<T>();
    rank<T>(buffer, count, k, first);
  } else {
    if (count > k) select<T>(buffer, count, k);
    sort<T>(buffer, buffer + (k - 1) * CANDIDATE<T>(), mostPartitions(k));
  }
  const end = first + k * CANDIDATE<T>();
  // Values replace the keys before any result is written: values may be x.
  for (let p = first; p < end; p += CANDIDATE<T>()) store<T>(p, load<T>(x + indexOf<T>(p) * sizeof<T>()), KEY<T>());
  for (let p = first; p < end; p += CANDIDATE<T>()) {
    store<T>(values, load<T>(p, KEY<T>()));
    store<i32>(indices, <i32>indexOf<T>(p));
    values += step * sizeof<T>();
    indices += step << 2;
  }
}

/**
 * Writes the first k of `count` candidates to `sorted`, each at the number of candidates that come before it: no branch
 * depends on the data.
 */
function rank<T>(buffer: usize, count: usize, k: usize, sorted: usize): void {
  const end = buffer + count * CANDIDATE<T>();
  for (let p = buffer; p < end; p += CANDIDATE<T>()) {
    const word = load<u64>(p), rest = restOf<T>(p);
    let before: usize = 0;
    for (let q = buffer; q < end; q += CANDIDATE<T>()) {
      before += usize(isBefore<T>(load<u64>(q), restOf<T>(q), word, rest));
    }
    if (before < k) move<T>(sorted + before * CANDIDATE<T>(), word, rest);
  }
}

/** Sorts the candidates from low to high, both inclusive, by at most so many partitions one within another. */
function sort<T>(low: usize, high: usize, partitions: i32): void {
  let random: u32 = 1;
  while (high > low + INSERTION * CANDIDATE<T>()) {
    if (!partitions--) {
      heapSort<T>(low, high);
      return;
    }
    random = random * 1664525 + 1013904223;
    const middle = partition<T>(low, high, random);
    // Recursion into the shorter side: its depth is at most logarithmic.
    if (middle - low < high - middle) {
      sort<T>(low, middle, partitions);
      low = middle + CANDIDATE<T>();
    } else {
      sort<T>(middle + CANDIDATE<T>(), high, partitions);
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
