// The nucleus of a row: the fewest of its largest elements whose weights add up to a given share of the total. Its last
// element is found among a few candidates, by quickselect; nothing is sorted.
//
// The first candidates are the weights of at least a 1024th of the sum, of which there are few: if the model is
// confident, the nucleus ends among them. Otherwise a histogram of the weights' bits tells between which weights it
// ends: a histogram of a sample of the smaller weights and, where that misleads, one of all weights. A finer histogram of
// the candidates between these leaves quickselect a few of them.

import { BIN_COUNT, CANDIDATES_END, CHUNK_SUMS, HISTOGRAM, LEAST_CANDIDATE, SUM_ABOVE } from "../scratch";
import { widen } from "../math/sum";
import { laneBitsOfFour, laneSum, lanes } from "../simd/lanes";
import {
  CANDIDATE, heapSort, indexOf, isBefore, keyOf, mostPartitions, move, partition, put, restOf
} from "./candidates";
import { LEAST_WEIGHT, chunkShift } from "./weights";

/**
 * The most candidates that are collected without a histogram: no more weights than that reach a 1024th of their sum.
 */
const DIRECT_CANDIDATES: usize = 1024;

/**
 * The first histogram samples about SAMPLED weights, in runs of RUN neighbours, and its shares are trusted to ± TRUST
 * standard errors; where a row misleads the sample all the same, a histogram of all weights follows.
 */
const SAMPLED: usize = 8192;
const RUN: usize = 16;
const TRUST: f64 = 2.5;
/** How far the histogram of all weights is trusted: its sums round differently from the total. */
const ROUNDING: f64 = 1e-9;

/**
 * The candidate with which the weights, added in the order of the ranking, reach `share` of their total. All elements
 * that equal it are candidates. `candidates` has room for n; weights are 0 or normal, and at most 1.
 */
export function nucleusEnd<T>(
  x: usize, weights: usize, n: usize, share: f64, total: f64, candidates: usize, scratch: usize
): usize {
  const target = share * total;
  const least = n <= DIRECT_CANDIDATES ? LEAST_WEIGHT<T>() : <f64><T>(total / DIRECT_CANDIDATES);
  // No weight is above 1, so there is nothing to collect above that.
  let count = least > 1 ? 0 : collectBetween<T>(x, weights, n, least, Infinity, candidates, scratch);
  const held = sumOf<T>(candidates, count, weights);
  // Without candidates there is no last one, even if the target is 0.
  if (count && held >= target) return reach<T>(candidates, count, weights, target);
  let stride = max<usize>(1, n / SAMPLED);
  while (true) {
    const whole = stride == 1;
    // Weights from `least` on are known and not sampled: a few of them are often most of the sum.
    const sum = fillBins<T>(weights, n, stride, whole ? Infinity : least, scratch);
    const part = whole ? share : (target - held) / (total - held);
    const trust = whole ? ROUNDING : TRUST * standardError<T>(part, sum, scratch);
    const high = binAt((part - trust) * sum, scratch), low = binAt((part + trust) * sum, scratch);
    const from = leastOf<T>(low), to = high ? leastOf<T>(high - 1) : Infinity;
    count = collectBetween<T>(x, weights, n, from, to, candidates, scratch);
    const rest = target - load<f64>(scratch, SUM_ABOVE);
    if (whole || (rest > 0 && sumOf<T>(candidates, count, weights) >= rest)) {
      return reachByBins<T>(candidates, count, weights, n, from, to, rest, scratch);
    }
    stride = 1;
  }
}

/** How many groups of four vectors are searched for candidates before these are collected. */
const GROUPS: usize = 16;
/** Where they are noted: the bits of a group's candidates and its first element; the histogram has served by then. */
const FOUND: usize = HISTOGRAM;

// Bins are intervals of the bits of weights, 32 to an octave, the largest weights first; the last bin has all that are
// smaller.

/** How many of the upper 32 bits of a weight do not matter for its bin. */
// @ts-ignore: decorator
@inline
function SHIFT<T>(): i32 {
  return sizeof<T>() == 4 ? 18 : 15;
}

/** The upper 32 bits of the largest weight of the first bin, which ends with the first weights above 1. */
// @ts-ignore: decorator
@inline
function TOP<T>(): u32 {
  return (sizeof<T>() == 4 ? 0x3f800000 : 0x3ff00000) + (1 << SHIFT<T>()) - 1;
}

/** The least weight of a bin. */
function leastOf<T>(bin: usize): f64 {
  if (bin + 1 == BIN_COUNT) return LEAST_WEIGHT<T>();
  const upper = TOP<T>() + 1 - ((<u32>bin + 1) << SHIFT<T>());
  if (sizeof<T>() == 4) return <f64>reinterpret<f32>(upper);
  return reinterpret<f64>(<u64>upper << 32);
}

/** The upper 32 bits of a weight. */
// @ts-ignore: decorator
@inline
function upperBits<T>(weight: f64): u32 {
  return sizeof<T>() == 4 ? reinterpret<u32>(<f32>weight) : <u32>(reinterpret<u64>(weight) >> 32);
}

/** The bin of the weight at this address. */
// @ts-ignore: decorator
@inline
function binOf<T>(weight: usize, top: u32, shift: i32): usize {
  return min<u32>((top - load<u32>(weight, sizeof<T>() - 4)) >> shift, BIN_COUNT - 1);
}

// @ts-ignore: decorator
@inline
function addToBin<T>(weight: usize, top: u32, shift: i32, scratch: usize): void {
  const bin = scratch + (binOf<T>(weight, top, shift) << 3);
  store<f64>(bin, load<f64>(bin, HISTOGRAM) + <f64>load<T>(weight), HISTOGRAM);
}

/** Fills the histogram with the weights below `limit` in every `stride`-th run; returns their sum. */
function fillBins<T>(weights: usize, n: usize, stride: usize, limit: f64, scratch: usize): f64 {
  memory.fill(scratch + HISTOGRAM, 0, BIN_COUNT << 3);
  let sum: f64 = 0;
  for (let first: usize = 0; first < n; first += RUN * stride) {
    const end = weights + min(n, first + RUN) * sizeof<T>();
    for (let p = weights + first * sizeof<T>(); p < end; p += sizeof<T>()) {
      const weight = <f64>load<T>(p);
      if (weight >= limit) continue;
      addToBin<T>(p, TOP<T>(), SHIFT<T>(), scratch);
      sum += weight;
    }
  }
  return sum;
}

/** The bin with which the sum of the bins reaches the target; the last one if it never does. */
function binAt(target: f64, scratch: usize): usize {
  let bin: usize = 0, sum = load<f64>(scratch, HISTOGRAM);
  while (sum < target && bin + 1 < BIN_COUNT) sum += load<f64>(scratch + (++bin << 3), HISTOGRAM);
  return bin;
}

/**
 * The standard error of the share of the bins that reach `part` of their sum, where the bins hold a sample. It is that
 * of a ratio of sums: the more a few large weights make of the sum, the larger it is.
 */
function standardError<T>(part: f64, sum: f64, scratch: usize): f64 {
  const last = binAt(part * sum, scratch), above = 1 - part;
  let variance: f64 = 0;
  for (let bin: usize = 0; bin < BIN_COUNT; bin++) {
    // A bin's sum of squares is its sum times its weights, which are alike.
    variance += (bin > last ? part * part : above * above) * leastOf<T>(bin) * load<f64>(scratch + (bin << 3), HISTOGRAM);
  }
  return Math.sqrt(variance) / sum;
}

/**
 * Makes candidates of the elements whose weights are in [low, high). The sum of the weights above goes to scratch, whole
 * and chunk by chunk.
 */
function collectBetween<T>(
  x: usize, weights: usize, n: usize, low: f64, high: f64, candidates: usize, scratch: usize
): usize {
  const least = v128.splat<T>(<T>low), most = v128.splat<T>(<T>high);
  const group = 4 * lanes<T>(), chunk: usize = 1 << chunkShift(n);
  let count: usize = 0, i: usize = 0, total: f64 = 0;
  for (let sums = scratch + CHUNK_SUMS; i < n; sums += 8) {
    const end = min(n, i + chunk);
    let above = v128.splat<f64>(0);
    while (i + group <= end) {
      let found = scratch + FOUND;
      for (const stop = min(end, i + GROUPS * group); i + group <= stop; i += group) {
        const p = weights + i * sizeof<T>();
        const w0 = v128.load(p), w1 = v128.load(p, 16), w2 = v128.load(p, 32), w3 = v128.load(p, 48);
        const k0 = v128.ge<T>(w0, least), k1 = v128.ge<T>(w1, least);
        const k2 = v128.ge<T>(w2, least), k3 = v128.ge<T>(w3, least);
        if (!v128.any_true(v128.or(v128.or(k0, k1), v128.or(k2, k3)))) continue;
        const a0 = v128.ge<T>(w0, most), a1 = v128.ge<T>(w1, most);
        const a2 = v128.ge<T>(w2, most), a3 = v128.ge<T>(w3, most);
        above = f64x2.add(above, widen<T>(v128.add<T>(v128.and(w0, a0), v128.and(w1, a1))));
        above = f64x2.add(above, widen<T>(v128.add<T>(v128.and(w2, a2), v128.and(w3, a3))));
        // Whether there is a candidate among these is hard to guess for a processor: no branch asks.
        const bits = laneBitsOfFour<T>(v128.xor(k0, a0), v128.xor(k1, a1), v128.xor(k2, a2), v128.xor(k3, a3));
        store<i32>(found, bits);
        store<usize>(found, i, 4);
        found += <usize>(bits != 0) << 3;
      }
      for (let p = scratch + FOUND; p < found; p += 8) {
        const first = load<usize>(p, 4);
        for (let bits = load<i32>(p); bits != 0; bits &= bits - 1) put<T>(x, first + ctz(bits), candidates, count++);
      }
    }
    let sum = laneSum<f64>(above);
    for (; i < end; i++) {
      const weight = <f64>load<T>(weights + i * sizeof<T>());
      if (weight >= high) sum += weight;
      else if (weight >= low) put<T>(x, i, candidates, count++);
    }
    store<f64>(sums, sum);
    total += sum;
  }
  store<f64>(scratch, total, SUM_ABOVE);
  store<f64>(scratch, low, LEAST_CANDIDATE);
  store<usize>(scratch, candidates + count * CANDIDATE<T>(), CANDIDATES_END);
  return count;
}

/**
 * Adds the weights of the candidates up to the last one of the nucleus to the sums of their chunks; those behind it lose
 * theirs. Returns the sum of all.
 */
export function keepNucleus<T>(last: usize, candidates: usize, weights: usize, n: usize, scratch: usize): f64 {
  const end = load<usize>(scratch, CANDIDATES_END), shift = chunkShift(n);
  const word = load<u64>(last), rest = restOf<T>(last);
  for (; candidates < end; candidates += CANDIDATE<T>()) {
    const i = indexOf<T>(candidates), behind = isBefore<T>(word, rest, load<u64>(candidates), restOf<T>(candidates));
    const sum = scratch + (i >> shift << 3), weight = weights + i * sizeof<T>();
    // The same stores for all: which are behind is hard to guess for a processor.
    const kept: T = behind ? 0 : load<T>(weight);
    store<f64>(sum, load<f64>(sum, CHUNK_SUMS) + <f64>kept, CHUNK_SUMS);
    store<T>(weight, kept);
  }
  let total: f64 = 0;
  for (let i: usize = 0; i << shift < n; i++) total += load<f64>(scratch + (i << 3), CHUNK_SUMS);
  return total;
}

/** Replaces each element that equals the last one of the nucleus but comes after it by −∞. */
export function dropEqualsBehind<T>(last: usize, candidates: usize, elements: usize, scratch: usize): void {
  const key = keyOf<T>(last), i = indexOf<T>(last), end = load<usize>(scratch, CANDIDATES_END);
  for (; candidates < end; candidates += CANDIDATE<T>()) {
    if (keyOf<T>(candidates) == key && indexOf<T>(candidates) > i) {
      store<T>(elements + indexOf<T>(candidates) * sizeof<T>(), <T>(-Infinity));
    }
  }
}

// @ts-ignore: decorator
@inline
function weightOf<T>(candidate: usize, weights: usize): f64 {
  return <f64>load<T>(weights + indexOf<T>(candidate) * sizeof<T>());
}

function sumOf<T>(candidates: usize, count: usize, weights: usize): f64 {
  let sum: f64 = 0;
  for (const end = candidates + count * CANDIDATE<T>(); candidates < end; candidates += CANDIDATE<T>()) {
    sum += weightOf<T>(candidates, weights);
  }
  return sum;
}

/**
 * `reach` for many candidates, whose weights are in [low, high): a histogram, finer than the one that gave these, leaves
 * it only those of one bin, copied behind the others.
 */
function reachByBins<T>(
  candidates: usize, count: usize, weights: usize, n: usize, low: f64, high: f64, target: f64, scratch: usize
): usize {
  const end = candidates + count * CANDIDATE<T>();
  if (count <= n / 2) {
    const top = high < 1 ? upperBits<T>(high) : TOP<T>();
    const shift = 32 - clz<u32>((top - upperBits<T>(low)) / <u32>BIN_COUNT);
    memory.fill(scratch + HISTOGRAM, 0, BIN_COUNT << 3);
    for (let p = candidates; p < end; p += CANDIDATE<T>()) {
      addToBin<T>(weights + indexOf<T>(p) * sizeof<T>(), top, shift, scratch);
    }
    const bin = binAt(target, scratch);
    let rest = target, copies = end;
    for (let i: usize = 0; i < bin; i++) rest -= load<f64>(scratch + (i << 3), HISTOGRAM);
    for (let p = candidates; p < end; p += CANDIDATE<T>()) {
      move<T>(copies, load<u64>(p), restOf<T>(p));
      if (binOf<T>(weights + indexOf<T>(p) * sizeof<T>(), top, shift) == bin) copies += CANDIDATE<T>();
    }
    // Rounding may leave the target above the sum of all.
    if (copies > end) return reach<T>(end, (copies - end) / CANDIDATE<T>(), weights, rest);
  }
  return reach<T>(candidates, count, weights, target);
}

/**
 * The candidate with which the weights, added in the order of the ranking, reach the target; the last one if they never
 * do.
 */
function reach<T>(candidates: usize, count: usize, weights: usize, target: f64): usize {
  let low = candidates, high = candidates + (count - 1) * CANDIDATE<T>(), rest = target;
  let random: u32 = 1, partitions = mostPartitions(count);
  while (low < high) {
    if (!partitions--) {
      heapSort<T>(low, high);
      for (; low < high && weightOf<T>(low, weights) < rest; low += CANDIDATE<T>()) rest -= weightOf<T>(low, weights);
      return low;
    }
    random = random * 1664525 + 1013904223;
    const middle = partition<T>(low, high, random);
    const sum = sumOf<T>(low, (middle - low) / CANDIDATE<T>() + 1, weights);
    if (sum >= rest) high = middle;
    else {
      rest -= sum;
      low = middle + CANDIDATE<T>();
    }
  }
  return low;
}
