// A row filled, scaled, or shifted and scaled. Unrolled by four: V8 inserts a stack check per iteration.

import { madd } from "../simd/arch";
import { isNormal, lanes } from "../simd/lanes";
import { SAFE_FACTOR, clearBelow, leastNormal } from "../simd/subnormal";
import { loadTail, storeTail } from "../simd/tail";

/** y = value. */
export function rowFill<T>(y: usize, n: usize, value: T): void {
  if (value == 0) {
    // memory.fill is up to twice as fast on memory that is not in a cache.
    memory.fill(y, 0, n * sizeof<T>());
    return;
  }
  const v = v128.splat<T>(value);
  const rest = n % lanes<T>(), end = y + (n - rest) * sizeof<T>();
  for (; y < end; y += 16) v128.store(y, v);
  if (rest) storeTail<T>(y, v, rest);
}

/** Fills a row outside of its kept range. */
export function rowFillOutside<T>(y: usize, n: usize, start: usize, end: usize, value: T): void {
  rowFill<T>(y, start, value);
  rowFill<T>(y + end * sizeof<T>(), n - end, value);
}

/** y = x · factor; x may be y. */
export function rowScale<T>(x: usize, y: usize, n: usize, factor: T): void {
  const f = v128.splat<T>(factor);
  const rest = n % lanes<T>(), end = x + (n - rest) * sizeof<T>();
  for (const fours = x + ((end - x) & ~63); x < fours; x += 64, y += 64) {
    v128.store(y, v128.mul<T>(v128.load(x), f));
    v128.store(y, v128.mul<T>(v128.load(x, 16), f), 16);
    v128.store(y, v128.mul<T>(v128.load(x, 32), f), 32);
    v128.store(y, v128.mul<T>(v128.load(x, 48), f), 48);
  }
  for (; x < end; x += 16, y += 16) v128.store(y, v128.mul<T>(v128.load(x), f));
  if (rest) storeTail<T>(y, v128.mul<T>(loadTail<T>(x, rest), f), rest);
}

/** Clears what of a row of exponentials would be subnormal times the factor; see simd/subnormal.ts. */
// @ts-ignore: decorator
@inline
export function clearSubnormal<T>(y: usize, n: usize, factor: T): void {
  if (sizeof<T>() == 4 && !(abs(<f32>factor) >= SAFE_FACTOR)) clearRow(y, n, <f32>factor);
}

function clearRow(y: usize, n: usize, factor: f32): void {
  const least = leastNormal(f32x4.splat(factor)), rest = n % 4, end = y + ((n - rest) << 2);
  for (const fours = y + ((end - y) & ~63); y < fours; y += 64) {
    v128.store(y, clearBelow(v128.load(y), least));
    v128.store(y, clearBelow(v128.load(y, 16), least), 16);
    v128.store(y, clearBelow(v128.load(y, 32), least), 32);
    v128.store(y, clearBelow(v128.load(y, 48), least), 48);
  }
  for (; y < end; y += 16) v128.store(y, clearBelow(v128.load(y), least));
  if (rest) storeTail<f32>(y, clearBelow(loadTail<f32>(y, rest), least), rest);
}

/**
 * What y, the exponentials of a row and their sum total, has yet to be multiplied by to become scale · softmax:
 * `factor`, which is scale / total. Where that is no normal number, y is divided by total here, and the result is `scale`.
 */
export function rowFactor<T>(y: usize, n: usize, factor: f64, scale: f64, total: f64): T {
  if (scale == 0 || isNormal(sizeof<T>(), factor)) {
    clearSubnormal<T>(y, n, <T>factor);
    return <T>factor;
  }
  rowScale<T>(y, y, n, <T>(1 / total));
  return <T>scale;
}

/** y = (x − centre) · factor + offset; x may be y. */
export function rowAffine<T>(x: usize, y: usize, n: usize, centre: T, factor: T, offset: T): void {
  const c = v128.splat<T>(centre), f = v128.splat<T>(factor), o = v128.splat<T>(offset);
  const rest = n % lanes<T>(), end = x + (n - rest) * sizeof<T>();
  for (const fours = x + ((end - x) & ~63); x < fours; x += 64, y += 64) {
    v128.store(y, madd<T>(v128.sub<T>(v128.load(x), c), f, o));
    v128.store(y, madd<T>(v128.sub<T>(v128.load(x, 16), c), f, o), 16);
    v128.store(y, madd<T>(v128.sub<T>(v128.load(x, 32), c), f, o), 32);
    v128.store(y, madd<T>(v128.sub<T>(v128.load(x, 48), c), f, o), 48);
  }
  for (; x < end; x += 16, y += 16) v128.store(y, madd<T>(v128.sub<T>(v128.load(x), c), f, o));
  if (rest) storeTail<T>(y, madd<T>(v128.sub<T>(loadTail<T>(x, rest), c), f, o), rest);
}
