// The nucleus of a row: the fewest of its largest elements whose weights add up to a given share of the total. Its last
// element is found among a few candidates, by quickselect; nothing is sorted.
//
// The first candidates are the weights of at least a 1024th of the sum, of which there are few: if the model is
// confident, the nucleus ends among them. Otherwise a histogram of the weights' bits tells between which weights it
// ends: a histogram of a sample of the smaller weights and, where that misleads, one of all weights.

import { BIN_COUNT, CANDIDATES_END, HISTOGRAM, SUM_ABOVE } from "../scratch";
import { widen } from "../math/sum";
import { laneBitsOfFour, laneSum, lanes } from "../simd/lanes";
import { CANDIDATE, heapSort, indexOf, keyOf, mostPartitions, partition, put } from "./candidates";

/**
 * The most candidates that are collected without a histogram: no more weights than that reach a 1024th of their sum.
 */
const DIRECT_CANDIDATES: usize = 1024;

/**
 * The first histogram samples about SAMPLED weights, in runs of RUN neighbours, and its shares are trusted to ± TRUST ·
 * √(p (1 − p)). The standard error of a share p is √(p (1 − p) / SAMPLED) = 0.011 √(p (1 − p)), so TRUST is twice that;
 * where a row misleads the sample all the same, a histogram of all weights follows.
 */
const SAMPLED: usize = 8192;
const RUN: usize = 16;
const TRUST: f64 = 0.025;
/** How far the histogram of all weights is trusted: its sums round differently from the total. */
const ROUNDING: f64 = 1e-9;

/** The least weight but 0. */
// @ts-ignore: decorator
@inline
function LEAST<T>(): f64 {
  return sizeof<T>() == 4 ? <f64>f32.MIN_NORMAL_VALUE : f64.MIN_NORMAL_VALUE;
}

/**
 * The candidate with which the weights, added in the order of the ranking, reach `share` of their total. Candidates
 * behind it in memory come later in the ranking, and all elements that equal it are candidates. `candidates` has room
 * for n; weights are 0 or normal, and at most 1.
 */
export function nucleusEnd<T>(
  x: usize, weights: usize, n: usize, share: f64, total: f64, candidates: usize, scratch: usize
): usize {
  const target = share * total;
  const least = n <= DIRECT_CANDIDATES ? LEAST<T>() : total / DIRECT_CANDIDATES;
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
    const trust = whole ? ROUNDING : TRUST * Math.sqrt(part * (1 - part));
    const high = binAt((part - trust) * sum, scratch), low = binAt((part + trust) * sum, scratch);
    count = collectBetween<T>(x, weights, n, leastOf<T>(low), high ? leastOf<T>(high - 1) : Infinity, candidates, scratch);
    const rest = target - load<f64>(scratch, SUM_ABOVE);
    if (whole || (rest > 0 && sumOf<T>(candidates, count, weights) >= rest)) {
      return reach<T>(candidates, count, weights, rest);
    }
    stride = 1;
  }
}

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
  if (bin + 1 == BIN_COUNT) return LEAST<T>();
  const upper = TOP<T>() + 1 - ((<u32>bin + 1) << SHIFT<T>());
  if (sizeof<T>() == 4) return <f64>reinterpret<f32>(upper);
  return reinterpret<f64>(<u64>upper << 32);
}

/** Fills the histogram with the weights below `limit` in every `stride`-th run; returns their sum. */
function fillBins<T>(weights: usize, n: usize, stride: usize, limit: f64, scratch: usize): f64 {
  memory.fill(scratch + HISTOGRAM, 0, BIN_COUNT << 3);
  let sum: f64 = 0;
  for (let first: usize = 0; first < n; first += RUN * stride) {
    const end = weights + min(n, first + RUN) * sizeof<T>();
    for (let p = weights + first * sizeof<T>(); p < end; p += sizeof<T>()) {
      const weight = <f64>load<T>(p), upper = load<u32>(p, sizeof<T>() - 4);
      if (weight >= limit) continue;
      const bin = min<u32>((TOP<T>() - upper) >> SHIFT<T>(), BIN_COUNT - 1);
      const place = scratch + (<usize>bin << 3);
      store<f64>(place, load<f64>(place, HISTOGRAM) + weight, HISTOGRAM);
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

/** Makes candidates of the elements whose weights are in [low, high); the sum of those above goes to scratch. */
function collectBetween<T>(
  x: usize, weights: usize, n: usize, low: f64, high: f64, candidates: usize, scratch: usize
): usize {
  const least = v128.splat<T>(<T>low), most = v128.splat<T>(<T>high);
  const group = 4 * lanes<T>();
  let count: usize = 0, i: usize = 0, above = v128.splat<f64>(0);
  for (; i + group <= n; i += group) {
    const p = weights + i * sizeof<T>();
    const w0 = v128.load(p), w1 = v128.load(p, 16), w2 = v128.load(p, 32), w3 = v128.load(p, 48);
    const k0 = v128.ge<T>(w0, least), k1 = v128.ge<T>(w1, least);
    const k2 = v128.ge<T>(w2, least), k3 = v128.ge<T>(w3, least);
    if (!v128.any_true(v128.or(v128.or(k0, k1), v128.or(k2, k3)))) continue;
    const a0 = v128.ge<T>(w0, most), a1 = v128.ge<T>(w1, most);
    const a2 = v128.ge<T>(w2, most), a3 = v128.ge<T>(w3, most);
    above = f64x2.add(above, widen<T>(v128.add<T>(v128.and(w0, a0), v128.and(w1, a1))));
    above = f64x2.add(above, widen<T>(v128.add<T>(v128.and(w2, a2), v128.and(w3, a3))));
    let bits = laneBitsOfFour<T>(v128.andnot(k0, a0), v128.andnot(k1, a1), v128.andnot(k2, a2), v128.andnot(k3, a3));
    for (; bits != 0; bits &= bits - 1) put<T>(x, i + ctz(bits), candidates, count++);
  }
  let sum = laneSum<f64>(above);
  for (; i < n; i++) {
    const weight = <f64>load<T>(weights + i * sizeof<T>());
    if (weight >= high) sum += weight;
    else if (weight >= low) put<T>(x, i, candidates, count++);
  }
  store<f64>(scratch, sum, SUM_ABOVE);
  store<usize>(scratch, candidates + count * CANDIDATE<T>(), CANDIDATES_END);
  return count;
}

/** Replaces by `value` each element that equals the last one of the nucleus but comes after it. */
export function replaceEqualsBehind<T>(last: usize, elements: usize, value: T, scratch: usize): void {
  const key = keyOf<T>(last), end = load<usize>(scratch, CANDIDATES_END);
  for (let candidate = last + CANDIDATE<T>(); candidate < end; candidate += CANDIDATE<T>()) {
    if (keyOf<T>(candidate) == key) store<T>(elements + indexOf<T>(candidate) * sizeof<T>(), value);
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
