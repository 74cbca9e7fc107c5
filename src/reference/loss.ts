import type { WideArray } from '../arrays.js';
import type { Heaps } from '../wasm/kernel.js';
import { roundingOf } from './sum.js';

/** Stores a row's loss or, if losses are reduced, adds it to the sum, which the rounding error follows. */
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

/**
 * Stores the sum and its rounding error for a kernel that adds up losses itself: in memory, each addition would wait
 * for the one before.
 */
export function storeSum({ f64 }: Heaps, sum: number, total: number, lost: number): void {
  f64[sum / 8] = total;
  f64[sum / 8 + 1] = lost;
}

/** The factor of the gradient of row or element i; gradOutput is 0 if there is none. */
export function upstreamOf(heap: WideArray, gradOutput: number, scale: number, i: number): number {
  return gradOutput === 0 ? scale : scale * heap[gradOutput + i]!;
}
