// The gradient of a cross-entropy whose classes come in chunks: for each row of [rows, n], y = scale · e^((x − maximum) /
// t) / total, where maximum and total are those of all chunks, this one included.
//
// given: three f64 for each row: its maximum, a number of T; the total; the scale. Where the scale is 0, y is 0 whatever
// x holds; where the maximum is not finite, NaN. y may be x.

import { checkApart, checkOutside, checkRows } from "../../contracts";
import { MAX_SHIFTED, exponential, prepareRow } from "../../math/exp";
import { coefficient, ln2HighOf, log2eOver, magicNumber, prepareExp } from "../../math/exp-table";
import { rowFactor, rowFill, rowScale } from "../../rows/scale";
import { HEADER_BYTES } from "../../scratch";
import { lanes } from "../../simd/lanes";
import { loadTail, storeTail } from "../../simd/tail";

const GIVEN_BYTES: usize = 24;

export function softmaxOfSums<T>(
  x: usize, y: usize, rows: usize, n: usize, temperature: f64, given: usize, scratch: usize
): void {
  checkRows<T>(x, y, rows * n, rows * n, temperature, scratch, HEADER_BYTES);
  checkApart(y, rows * n * sizeof<T>(), given, rows * GIVEN_BYTES);
  checkOutside(scratch, HEADER_BYTES, given, rows * GIVEN_BYTES);
  prepareExp<T>(temperature, scratch);
  const bytes = n * sizeof<T>();
  for (const end = given + rows * GIVEN_BYTES; given < end; given += GIVEN_BYTES, x += bytes, y += bytes) {
    const maximum = load<f64>(given), total = load<f64>(given, 8), scale = load<f64>(given, 16);
    if (scale == 0) {
      rowFill<T>(y, n, 0);
      continue;
    }
    const sum = total * rowExpOf<T>(x, y, n, <T>maximum, temperature, scratch);
    rowScale<T>(y, y, n, rowFactor<T>(y, n, scale / sum, scale, sum));
  }
}

/** y = 2^k · e^(x / t), with a k that suits the maximum; returns the same of the maximum. */
function rowExpOf<T>(x: usize, y: usize, n: usize, maximum: T, temperature: f64, scratch: usize): f64 {
  prepareRow<T>(scratch, maximum, temperature);
  const log2e = log2eOver<T>(scratch), magic = magicNumber<T>(scratch), high = ln2HighOf<T>(scratch);
  const c5 = coefficient<T>(5, scratch), c4 = coefficient<T>(4, scratch), c3 = coefficient<T>(3, scratch);
  const c2 = coefficient<T>(2, scratch), c1 = coefficient<T>(1, scratch);
  const rest = n % lanes<T>(), end = x + (n - rest) * sizeof<T>();
  for (; x < end; x += 16, y += 16) {
    v128.store(y, exponential<T>(MAX_SHIFTED, v128.load(x), scratch, log2e, magic, high, c5, c4, c3, c2, c1));
  }
  if (rest) {
    const tail = loadTail<T>(x, rest);
    storeTail<T>(y, exponential<T>(MAX_SHIFTED, tail, scratch, log2e, magic, high, c5, c4, c3, c2, c1), rest);
  }
  const m = v128.splat<T>(maximum);
  const top = exponential<T>(MAX_SHIFTED, m, scratch, log2e, magic, high, c5, c4, c3, c2, c1);
  return <f64>v128.extract_lane<T>(top, 0);
}
