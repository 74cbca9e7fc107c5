// sample: draws an element of each row of [outer, n, inner] with the probabilities of softmax(x / temperature) after
// truncation. y, i32 [outer, inner], gets its index, or the reason why there is none (NOTHING_KEPT, HOLDS_NAN,
// HOLDS_INFINITY).
//
// Truncation ranks elements by value, equal ones in the order in which they lie, and each step keeps the first of the
// ranking: topK elements (below n; 0: all); of these, the fewest whose probabilities add up to topP (1: all); of these,
// the ones at most `reach` times the temperature below the maximum (∞: all). The probabilities of truncation have a
// temperature of their own, `truncationTemperature`. The elements that topK keeps become a row of their own. After that,
// the elements kept are those not below a floor, except those that equal the last element of the nucleus and come after
// it: these lose their weights.
// The draw inverts the cumulative sum of the weights (rows/weights.ts), in the order in which elements lie, at u, a
// number in [0, 1) for each row. Temperature 0 draws the first of the largest elements and needs no u.
//
// bits: u32 [rows, words]; element i is kept if bit i % 32 of word i / 32 is set. words is 0 if all rows share them;
// bits is 0 if there are none. mask: a descriptor, or 0. Room for intermediate results, none of which overlaps: row, n
// elements if inner > 1 or there are a mask, bits or truncation; weights, n elements for topP; candidates
// (rows/candidates.ts), min(n, 4 topK + 32) of them for topK, n for topP alone; indices, topK of i32.

import { checkApart, checkArray, checkOutside, checkScratch, scratchBytes } from "../../contracts";
import { fillDropped, operandAddress, operandStride } from "../../mask";
import { CANDIDATE, collect, indexOf, select } from "../../rows/candidates";
import { dropEqualsBehind, keepNucleus, nucleusEnd } from "../../rows/nucleus";
import { rowMax } from "../../rows/reduce";
import { LEAST_WEIGHT, draw, floorWithin, lowestFloor, prepareWeights, weigh } from "../../rows/weights";
import { HOLDS_INFINITY, HOLDS_NAN, NOTHING_KEPT } from "../../sampling";
import { LEAST_CANDIDATE, NEXT_ROW } from "../../scratch";
import { addressOf } from "../../shape";
import { laneBits, lanes } from "../../simd/lanes";

export function sample<T>(
  x: usize, y: usize, u: usize, outer: usize, n: usize, inner: usize, temperature: f64, truncationTemperature: f64,
  topK: usize, topP: f64, reach: f64, mask: usize, bits: usize, words: usize, row: usize, weights: usize,
  candidates: usize, indices: usize, scratch: usize
): void {
  checkArray<T>(x, outer * n * inner);
  checkArray<i32>(y, outer * inner);
  checkApart(x, outer * n * inner * sizeof<T>(), y, (outer * inner) << 2);
  const size = scratchBytes(n, 1);
  checkScratch(scratch, size);
  checkOutside(scratch, size, x, outer * n * inner * sizeof<T>());
  checkOutside(scratch, size, y, (outer * inner) << 2);
  checkOutside(scratch, size, u, (outer * inner) << 3);
  checkOutside(scratch, size, bits, (outer * inner * words) << 2);
  checkOutside(scratch, size, row, n * sizeof<T>());
  checkOutside(scratch, size, weights, n * sizeof<T>());
  checkOutside(scratch, size, candidates, (topK ? min(n, 4 * topK + 32) : n) * CANDIDATE<T>());
  checkOutside(scratch, size, indices, topK << 2);
  const copies = inner > 1 || mask != 0 || bits != 0;
  for (let r: usize = 0; r < outer * inner; r++) {
    const given = addressOf<T>(x, n, inner, r);
    if (copies) {
      gatherRow<T>(given, n, inner, row);
      if (mask) dropMasked<T>(row, n, operandAddress(mask, r, 1), operandStride(mask));
      if (bits) dropUnset<T>(row, n, bits + ((r * words) << 2));
    }
    // Strided rows and the last row have no next row to read ahead: they read memory that is in the cache instead.
    const hasNext = inner == 1 && r + 1 < outer;
    store<usize>(scratch, hasNext ? given + n * sizeof<T>() : copies ? row : given, NEXT_ROW);
    store<i32>(y + (r << 2), sampleRow<T>(
      copies ? row : given, n, u ? load<f64>(u + (r << 3)) : 0, temperature, truncationTemperature, topK, topP, reach,
      row, weights, candidates, indices, scratch
    ));
  }
}

/** Samples one contiguous row; `copy` is the kernel's `row`: x itself, or room for a copy of it. */
function sampleRow<T>(
  x: usize, n: usize, u: f64, temperature: f64, truncationTemperature: f64, topK: usize, topP: f64, reach: f64,
  copy: usize, weights: usize, candidates: usize, indices: usize, scratch: usize
): i32 {
  let maximum: T;
  if (topK) {
    const count = collect<T>(x, n, topK, candidates, min(n, 4 * topK + 32));
    select<T>(candidates, count, topK);
    maximum = largestOf<T>(x, candidates, topK);
  } else maximum = rowMax<T>(x, n);
  if (maximum != maximum) return HOLDS_NAN;
  if (maximum == <T>Infinity) return HOLDS_INFINITY;
  if (maximum == <T>(-Infinity)) return NOTHING_KEPT;
  if (temperature == 0) return <i32>firstEqual<T>(x, n, maximum);
  if (topK) {
    keepUpTo<T>(x, n, indexOf<T>(candidates + (topK - 1) * CANDIDATE<T>()), copy, indices);
    x = copy;
    n = topK;
  }
  const place = drawRow<T>(
    x, n, maximum, u, temperature, truncationTemperature, topP, reach, copy, weights, candidates, scratch
  );
  return topK ? load<i32>(indices + (place << 2)) : place;
}

/** The largest of candidates; NaN where one of them is. */
function largestOf<T>(x: usize, candidates: usize, count: usize): T {
  let largest = <T>(-Infinity);
  for (const end = candidates + count * CANDIDATE<T>(); candidates < end; candidates += CANDIDATE<T>()) {
    largest = max(largest, load<T>(x + indexOf<T>(candidates) * sizeof<T>()));
  }
  return largest;
}

/** Draws from a row without topK: the index of an element. */
function drawRow<T>(
  x: usize, n: usize, maximum: T, u: f64, temperature: f64, truncationTemperature: f64, topP: f64, reach: f64,
  copy: usize, weights: usize, candidates: usize, scratch: usize
): i32 {
  let floor = max(floorWithin<T>(maximum, reach * truncationTemperature), lowestFloor<T>(maximum, temperature));
  if (topP < 1) {
    prepareWeights<T>(maximum, truncationTemperature, scratch);
    const total = weigh<T>(x, n, lowestFloor<T>(maximum, truncationTemperature), weights, scratch);
    const last = nucleusEnd<T>(x, weights, n, topP, total, candidates, scratch);
    const end = load<T>(x + indexOf<T>(last) * sizeof<T>());
    // Where minP keeps fewer than the nucleus, neither the sums nor the ties of the nucleus matter.
    if (floor <= end) {
      if (temperature == truncationTemperature) {
        const kept = keepNucleus<T>(last, candidates, weights, n, scratch);
        return draw<T>(x, n, floor, kept, u, weights, load<f64>(scratch, LEAST_CANDIDATE), scratch);
      }
      floor = end;
      if (x != copy) memory.copy(copy, x, n * sizeof<T>());
      dropEqualsBehind<T>(last, candidates, copy, scratch);
      x = copy;
    }
  }
  prepareWeights<T>(maximum, temperature, scratch);
  return draw<T>(x, n, floor, weigh<T>(x, n, floor, 0, scratch), u, 0, LEAST_WEIGHT<T>(), scratch);
}

/** The elements that are ranked no later than one of them, in their order, and their indices. */
function keepUpTo<T>(x: usize, n: usize, last: usize, values: usize, indices: usize): void {
  const least = load<T>(x + last * sizeof<T>()), floor = v128.splat<T>(least);
  const group = 4 * lanes<T>();
  for (let first: usize = 0; first < n; first += group) {
    const p = x + first * sizeof<T>();
    if (first + group <= n) {
      const k0 = v128.ge<T>(v128.load(p), floor), k1 = v128.ge<T>(v128.load(p, 16), floor);
      const k2 = v128.ge<T>(v128.load(p, 32), floor), k3 = v128.ge<T>(v128.load(p, 48), floor);
      if (!v128.any_true(v128.or(v128.or(k0, k1), v128.or(k2, k3)))) continue;
    }
    for (let i = first, end = min(n, first + group); i < end; i++) {
      const value = load<T>(x + i * sizeof<T>());
      if (!(value > least || (value == least && i <= last))) continue;
      store<T>(values, value);
      store<i32>(indices, <i32>i);
      values += sizeof<T>();
      indices += 4;
    }
  }
}

/** Index of the first element that equals a value, which one does. */
function firstEqual<T>(x: usize, n: usize, value: T): usize {
  const wanted = v128.splat<T>(value);
  let i: usize = 0;
  for (; i + lanes<T>() <= n; i += lanes<T>()) {
    const equal = laneBits<T>(v128.eq<T>(v128.load(x + i * sizeof<T>()), wanted));
    if (equal) return i + ctz(equal);
  }
  while (i < n && load<T>(x + i * sizeof<T>()) != value) i++;
  return i;
}

function gatherRow<T>(x: usize, n: usize, inner: usize, row: usize): void {
  if (inner == 1) memory.copy(row, x, n * sizeof<T>());
  else {
    for (const end = row + n * sizeof<T>(); row < end; row += sizeof<T>(), x += inner * sizeof<T>()) {
      store<T>(row, load<T>(x));
    }
  }
}

/** −∞ where the mask's bytes, `stride` apart, are 0. */
function dropMasked<T>(row: usize, n: usize, bytes: usize, stride: usize): void {
  if (stride == 1) {
    fillDropped<T>(row, bytes, n, <T>(-Infinity));
    return;
  }
  const end = row + n * sizeof<T>();
  for (; row < end; row += sizeof<T>(), bytes += stride) if (!load<u8>(bytes)) store<T>(row, <T>(-Infinity));
}

/** −∞ where bits are not set. */
function dropUnset<T>(row: usize, n: usize, bits: usize): void {
  for (let first: usize = 0; first < n; first += 32, bits += 4, row += 32 * sizeof<T>()) {
    const word = load<u32>(bits), count = min<usize>(32, n - first);
    // A grammar rules out most classes, so most words are 0.
    if (!word && count == 32) {
      const end = row + 32 * sizeof<T>();
      for (let p = row; p < end; p += 16) v128.store(p, v128.splat<T>(<T>(-Infinity)));
      continue;
    }
    for (let i: usize = 0; i < count; i++) if (!((word >> <u32>i) & 1)) store<T>(row + i * sizeof<T>(), <T>(-Infinity));
  }
}
