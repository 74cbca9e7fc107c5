// topK: the k largest elements of each row of [outer, n, inner] and their indices, the largest first; 1 ≤ k ≤ n. Equal
// elements keep their order, NaN come first. values is T, indices i32, both [outer, k, inner].
//
// One pass over a row compares vectors with a threshold, the k-th largest so far, and collects what is above it in a
// buffer. If k is small, a pass before it finds a threshold that little more than k elements are above. When the buffer
// is full, the k largest are selected (Hoare's quickselect) and the threshold rises. What is left at the end is ranked, or
// else sorted (quicksort). Pivots are drawn by a generator that starts alike for every row; where they turn out bad, a
// heap sorts the rest. A candidate is an integer
// that orders elements as above, ties included, so no two are equal.
//
// Strided rows are transposed into the scratch, as many at a time as make a block. values may be x where k = n; nothing
// else overlaps. buffer: `capacity` candidates, n or at least k + 16 of them. Nothing is rounded.

import { checkApart, checkArray, checkOutside, checkSameOrApart, checkScratch, scratchBytes } from "../../contracts";
import { CANDIDATE, KEY, collect, heapSort, indexOf, isBefore, mostPartitions, move, partition, restOf, select } from "../../rows/candidates";
import { HEADER_BYTES, LINE_BYTES } from "../../scratch";
import { BLOCK_ROWS } from "../../shape";
import { lanes } from "../../simd/lanes";
import { columnsToRows } from "../../simd/transpose";

/** Up to so many candidates are ranked. */
const MOST_RANKED: usize = 24;
/** Up to so many of more are sorted by insertion. */
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

/** Writes the first k of `count` candidates to `sorted`, by how many come before each: no branch depends on a number. */
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
