import type { Heaps } from '../wasm/kernel.js';
import { roundingOf } from './sum.js';

/** Stores a row's loss, or adds it to the sum where losses are reduced, with what rounding takes from that. */
export function storeLoss(
  heaps: Heaps,
  elementBytes: 4 | 8,
  losses: number,
  sum: number,
  row: number,
  loss: number,
): void {
  if (losses) {
    heaps.floats(elementBytes)[losses / elementBytes + row] = loss;
    return;
  }
  const { f64 } = heaps;
  const before = f64[sum / 8]!;
  const after = before + loss;
  f64[sum / 8] = after;
  f64[sum / 8 + 1]! += roundingOf(before, loss, after);
}
