import type { NllLossOperands } from '../generated/kernels.js';
import type { Heaps } from '../wasm/kernel.js';
import { emit } from './emit.js';

/** Negative log-likelihood in a plain loop, with its gradient; x holds the targets' elements only. */
export function nllLoss(heaps: Heaps, elementBytes: 4 | 8, operands: NllLossOperands): void {
  const { x, targets, losses, gradient, outer, n, inner, weight, scale, gradOutput, sum } = operands;
  const heap = heaps.floats(elementBytes);
  const first = gradient / elementBytes;
  if (gradient) heap.fill(0, first, first + outer * n * inner);
  for (let problem = 0; problem < outer * inner; problem++) {
    const target = heaps.i32[targets / 4 + problem]!;
    let loss = 0;
    if (target >= 0) {
      const w = weight ? heap[weight / elementBytes + target]! : 1;
      loss = -(w * heap[x / elementBytes + problem]!);
      if (gradient) {
        const own = gradOutput ? heap[gradOutput / elementBytes + problem]! : 1;
        const element = (Math.floor(problem / inner) * n + target) * inner + (problem % inner);
        heap[first + element] = -(scale * own * w);
      }
    }
    emit(heaps, elementBytes, losses, sum, problem, loss);
  }
}
