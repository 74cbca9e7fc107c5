// argmax: the index of the largest element of each row of [outer, n, inner], n > 0; y is i32 [outer, inner].
// The first of equal elements; NaN is the largest of all.
//
// Long rows: maxima chunk by chunk, without their indices; then the chunk that holds the largest is searched.
// Strided rows, and short rows once they are transposed: values and indices in lanes.
// A sum runs along and is NaN if an element is. It is also NaN for infinities of both signs, so such a row is searched
// element by element, which is right in either case.
// x and y do not overlap. The scratch has room for a block of short rows. Nothing is rounded.

import { gather } from "../../blocks/gather";
import { checkApart, checkArray, checkOutside, checkScratch, scratchBytes } from "../../contracts";
import { HEADER_BYTES, LINE_BYTES, TEMPORARY } from "../../scratch";
import { BLOCK_ROWS, usesRowForm } from "../../shape";
import { select } from "../../simd/arch";
import { addIntegers, laneBits, laneMax, lanes, ones } from "../../simd/lanes";
import { evenLanes } from "../../simd/transpose";

/** Bytes of a chunk: short enough to search, long enough to scan fast. */
const CHUNK_BYTES: usize = 512;

export function argmax<T>(x: usize, y: usize, outer: usize, n: usize, inner: usize, scratch: usize): void {
  checkArray<T>(x, outer * n * inner);
  checkArray<i32>(y, outer * inner);
  checkApart(x, outer * n * inner * sizeof<T>(), y, (outer * inner) << 2);
  const size = scratchBytes(n, inner);
  checkScratch(scratch, size);
  checkOutside(scratch, size, x, outer * n * inner * sizeof<T>());
  checkOutside(scratch, size, y, (outer * inner) << 2);
  assert(n > 0, "there is no largest of none");
  if (usesRowForm<T>(n, inner)) rowForm<T>(x, y, outer, n);
  else if (inner == 1) shortRowForm<T>(x, y, outer, n, scratch);
  else stridedForm<T>(x, y, outer, n, inner);
}

function rowForm<T>(x: usize, y: usize, count: usize, n: usize): void {
  for (const end = y + (count << 2); y < end; y += 4, x += n * sizeof<T>()) store<i32>(y, rowArgmax<T>(x, n));
}

function rowArgmax<T>(x: usize, n: usize): i32 {
  const rest = n % lanes<T>(), end = x + (n - rest) * sizeof<T>();
  let best = v128.splat<T>(<T>(-Infinity)), where = x;
  let s0 = v128.splat<T>(0), s1 = s0, s2 = s0, s3 = s0;
  for (let p = x; p < end; ) {
    const chunk = p, chunkEnd = min(end, p + CHUNK_BYTES);
    let m0 = best, m1 = best, m2 = best, m3 = best;
    for (const end4 = p + ((chunkEnd - p) & ~63); p < end4; p += 64) {
      const v0 = v128.load(p), v1 = v128.load(p, 16), v2 = v128.load(p, 32), v3 = v128.load(p, 48);
      m0 = v128.pmax<T>(m0, v0);
      m1 = v128.pmax<T>(m1, v1);
      m2 = v128.pmax<T>(m2, v2);
      m3 = v128.pmax<T>(m3, v3);
      s0 = v128.add<T>(s0, v0);
      s1 = v128.add<T>(s1, v1);
      s2 = v128.add<T>(s2, v2);
      s3 = v128.add<T>(s3, v3);
    }
    for (; p < chunkEnd; p += 16) {
      const v = v128.load(p);
      m0 = v128.pmax<T>(m0, v);
      s0 = v128.add<T>(s0, v);
    }
    const m = v128.pmax<T>(v128.pmax<T>(m0, m1), v128.pmax<T>(m2, m3));
    if (v128.any_true(v128.gt<T>(m, best))) {
      best = v128.splat<T>(laneMax<T>(m));
      where = chunk;
    }
  }
  if (holdsNaN<T>(v128.add<T>(v128.add<T>(s0, s1), v128.add<T>(s2, s3)))) return argmaxOf<T>(x, sizeof<T>(), n);
  let equal = v128.eq<T>(v128.load(where), best);
  while (!v128.any_true(equal)) equal = v128.eq<T>(v128.load((where += 16)), best);
  let index = (where - x) / sizeof<T>() + ctz(laneBits<T>(equal));
  let largest = v128.extract_lane<T>(best, 0);
  for (let i = n - rest; i < n && largest == largest; i++) {
    const value = load<T>(x + i * sizeof<T>());
    if (value <= largest) continue;
    largest = value;
    index = i;
  }
  return <i32>index;
}

// @ts-ignore: decorator
@inline
function holdsNaN<T>(v: v128): bool {
  return v128.any_true(v128.ne<T>(v, v));
}

/** argmax of n elements `stride` bytes apart, one by one; NaN counts. */
function argmaxOf<T>(x: usize, stride: usize, n: usize): i32 {
  let largest = load<T>(x), index: usize = 0;
  for (let i: usize = 1; i < n && largest == largest; i++) {
    x += stride;
    const value = load<T>(x);
    if (value <= largest) continue;
    largest = value;
    index = i;
  }
  return <i32>index;
}

function shortRowForm<T>(x: usize, y: usize, count: usize, n: usize, scratch: usize): void {
  const block = scratch + HEADER_BYTES;
  let rows: usize = 0;
  for (let first: usize = 0; first < count; first += rows, y += rows << 2) {
    rows = min(BLOCK_ROWS<T>(), count - first);
    gather<T>(x, n, 1, first, rows, block, 0);
    if (rows == BLOCK_ROWS<T>()) {
      fourVectors<T>(block, LINE_BYTES, n, y);
      continue;
    }
    // Lanes past the last row have results too.
    const indices = scratch + TEMPORARY;
    fourVectors<T>(block, LINE_BYTES, n, indices);
    for (let i: usize = 0; i < rows; i++) store<i32>(y + (i << 2), load<i32>(indices + (i << 2)));
  }
}

/**
 * Strided rows, four vectors or one at a time. The last are moved back to be whole: they repeat results that are there.
 */
function stridedForm<T>(x: usize, y: usize, outer: usize, n: usize, inner: usize): void {
  assert(inner >= lanes<T>(), "an inner axis is shorter than a vector");
  const stride = inner * sizeof<T>();
  const wide = inner >= BLOCK_ROWS<T>(), width = wide ? BLOCK_ROWS<T>() : lanes<T>();
  for (let o: usize = 0; o < outer; o++, x += n * stride, y += inner << 2) {
    for (let first: usize = 0; first < inner; first += width) {
      const column = min(first, inner - width);
      if (wide) fourVectors<T>(x + column * sizeof<T>(), stride, n, y + (column << 2));
      else oneVector<T>(x + column * sizeof<T>(), stride, n, y + (column << 2));
    }
  }
}

/** argmax of the rows in four vectors; elements are `stride` bytes apart. */
function fourVectors<T>(x: usize, stride: usize, n: usize, y: usize): void {
  const one = ones<T>();
  let m0 = v128.load(x), m1 = v128.load(x, 16), m2 = v128.load(x, 32), m3 = v128.load(x, 48);
  let sum = v128.add<T>(v128.add<T>(m0, m1), v128.add<T>(m2, m3));
  let i0 = i32x4.splat(0), i1 = i0, i2 = i0, i3 = i0, i = i0, p = x;
  for (let j: usize = 1; j < n; j++) {
    p += stride;
    i = addIntegers<T>(i, one);
    const v0 = v128.load(p), v1 = v128.load(p, 16), v2 = v128.load(p, 32), v3 = v128.load(p, 48);
    i0 = select<T>(i, i0, v128.gt<T>(v0, m0));
    i1 = select<T>(i, i1, v128.gt<T>(v1, m1));
    i2 = select<T>(i, i2, v128.gt<T>(v2, m2));
    i3 = select<T>(i, i3, v128.gt<T>(v3, m3));
    m0 = v128.pmax<T>(m0, v0);
    m1 = v128.pmax<T>(m1, v1);
    m2 = v128.pmax<T>(m2, v2);
    m3 = v128.pmax<T>(m3, v3);
    sum = v128.add<T>(sum, v128.add<T>(v128.add<T>(v0, v1), v128.add<T>(v2, v3)));
  }
  if (holdsNaN<T>(sum)) {
    for (let column: usize = 0; column < BLOCK_ROWS<T>(); column++) {
      store<i32>(y + (column << 2), argmaxOf<T>(x + column * sizeof<T>(), stride, n));
    }
  } else if (sizeof<T>() == 4) {
    v128.store(y, i0);
    v128.store(y, i1, 16);
    v128.store(y, i2, 32);
    v128.store(y, i3, 48);
  } else {
    v128.store(y, evenLanes(i0, i1));
    v128.store(y, evenLanes(i2, i3), 16);
  }
}

/** The same for one vector. */
function oneVector<T>(x: usize, stride: usize, n: usize, y: usize): void {
  const one = ones<T>();
  let m = v128.load(x), sum = m, index = i32x4.splat(0), i = index, p = x;
  for (let j: usize = 1; j < n; j++) {
    p += stride;
    i = addIntegers<T>(i, one);
    const v = v128.load(p);
    index = select<T>(i, index, v128.gt<T>(v, m));
    m = v128.pmax<T>(m, v);
    sum = v128.add<T>(sum, v);
  }
  if (holdsNaN<T>(sum)) {
    for (let column: usize = 0; column < lanes<T>(); column++) {
      store<i32>(y + (column << 2), argmaxOf<T>(x + column * sizeof<T>(), stride, n));
    }
  } else if (sizeof<T>() == 4) v128.store(y, index);
  else v128.store64_lane(y, evenLanes(index, index), 0);
}
