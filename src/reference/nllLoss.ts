import type { NllLossOperands } from '../generated/kernels.js';
import type { Heaps } from '../wasm/kernel.js';
import { storeSum, upstreamOf } from './loss.js';
import { firstOf, indexOf } from './rows.js';
import { roundingOf } from './sum.js';

/** Negative log-likelihood in a plain loop, with its gradient; x holds the targets' elements only. */
export function nllLoss(heaps: Heaps, elementBytes: 4 | 8, operands: NllLossOperands): void {
  const { x, targets, losses, gradient, outer, n, inner, weight, scale, gradOutput, sum } = operands;
  const { f64, i32 } = heaps;
  const heap = heaps.floats(elementBytes);
  let total = f64[sum / 8]!;
  let lost = f64[sum / 8 + 1]!;
  const start = indexOf(x, elementBytes);
  const ofTargets = indexOf(targets, 4);
  const first = indexOf(gradient, elementBytes);
  if (gradient) heap.fill(0, first, first + outer * n * inner);
  for (let row = 0, rows = outer * inner; row < rows; row++) {
    const target = i32[ofTargets + row]!;
    let loss = 0;
    if (target >= 0) {
      const w = weight ? heap[weight / elementBytes + target]! : 1;
      loss = -(w * heap[start + row]!);
      if (gradient) {
        const upstream = upstreamOf(heap, gradOutput / elementBytes, scale, row);
        heap[first + firstOf(row, n, inner) + target * inner] = -(upstream * w);
      }
    }
    if (losses) heap[losses / elementBytes + row] = loss;
    else {
      if (elementBytes === 8) lost += roundingOf(total, loss, total + loss);
      total += loss;
    }
  }
  storeSum(heaps, sum, total, lost);
}
