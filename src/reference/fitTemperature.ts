import type { FitTemperatureOperands } from '../generated/kernels.js';
import type { Heaps } from '../wasm/kernel.js';
import { firstOf, indexOf } from './rows.js';

/** Slope and curvature of the loss over 1 / t in plain loops: E_p[x − x_target] and Var_p[x], added up over the rows. */
export function fitTemperature(
  heaps: Heaps,
  elementBytes: 4 | 8,
  { x, p, targets, outer, n, inner, sums }: FitTemperatureOperands,
): void {
  const { i32, f64 } = heaps;
  const heap = heaps.floats(elementBytes);
  const start = indexOf(x, elementBytes);
  const toP = indexOf(p, elementBytes) - start;
  for (let row = 0; row < outer * inner; row++) {
    const target = i32[targets / 4 + row]!;
    if (target < 0) continue;
    const first = start + firstOf(row, n, inner);
    const own = heap[first + target * inner]!;
    let mean = 0;
    let square = 0;
    for (let j = 0; j < n; j++) {
      const at = first + j * inner;
      const weight = heap[at + toP]!;
      // A class of probability 0 may have an infinite distance.
      if (weight === 0) continue;
      const distance = heap[at]! - own;
      mean += weight * distance;
      square += weight * distance * distance;
    }
    f64[sums / 8]! += mean;
    f64[sums / 8 + 1]! += square - mean * mean;
  }
}
