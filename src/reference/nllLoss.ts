import type { NllLossOperands } from '../generated/kernels.js';
import type { Heaps } from '../wasm/kernel.js';
import { storeLoss } from './loss.js';
import { firstOf } from './rows.js';

/** Negative log-likelihood in a plain loop, with its gradient; x holds the targets' elements only. */
export function nllLoss(heaps: Heaps, elementBytes: 4 | 8, operands: NllLossOperands): void {
  const { x, targets, losses, gradient, outer, n, inner, weight, scale, gradOutput, sum } = operands;
  const heap = heaps.floats(elementBytes);
  const first = gradient / elementBytes;
  if (gradient) heap.fill(0, first, first + outer * n * inner);
  for (let row = 0; row < outer * inner; row++) {
    const target = heaps.i32[targets / 4 + row]!;
    let loss = 0;
    if (target >= 0) {
      const w = weight ? heap[weight / elementBytes + target]! : 1;
      loss = -(w * heap[x / elementBytes + row]!);
      if (gradient) {
        const upstream = gradOutput ? heap[gradOutput / elementBytes + row]! : 1;
        heap[first + firstOf(row, n, inner) + target * inner] = -(scale * upstream * w);
      }
    }
    storeLoss(heaps, elementBytes, losses, sum, row, loss);
  }
}
