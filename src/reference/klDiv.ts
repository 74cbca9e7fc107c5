import type { KlDivOperands } from '../generated/kernels.js';
import type { Heaps } from '../wasm/kernel.js';
import { storeLoss } from './loss.js';

/** Kullback-Leibler divergence in a plain loop, with its gradient. */
export function klDiv(
  heaps: Heaps,
  elementBytes: 4 | 8,
  { x, targets, losses, gradient, count, scale, gradOutput, sum }: KlDivOperands,
): void {
  const heap = heaps.floats(elementBytes);
  const [ofX, ofTargets] = [x / elementBytes, targets / elementBytes];
  for (let i = 0; i < count; i++) {
    const target = heap[ofTargets + i]!;
    const entropy = target === 0 ? 0 : target * Math.log(target);
    const loss = entropy - target * heap[ofX + i]!;
    if (gradient) heap[gradient / elementBytes + i] = -target * upstreamOf(heap, gradOutput / elementBytes, scale, i);
    storeLoss(heaps, elementBytes, losses, sum, i, loss);
  }
}

/** The same for targets that are logarithms. */
export function logKlDiv(
  heaps: Heaps,
  elementBytes: 4 | 8,
  { x, targets, losses, gradient, count, scale, gradOutput, sum }: KlDivOperands,
): void {
  const heap = heaps.floats(elementBytes);
  const [ofX, ofTargets] = [x / elementBytes, targets / elementBytes];
  for (let i = 0; i < count; i++) {
    const target = heap[ofTargets + i]!;
    const share = Math.exp(target);
    const loss = share * (target - heap[ofX + i]!);
    if (gradient) heap[gradient / elementBytes + i] = -share * upstreamOf(heap, gradOutput / elementBytes, scale, i);
    storeLoss(heaps, elementBytes, losses, sum, i, loss);
  }
}

/** What the gradient of element i is multiplied by; there is no gradOutput at 0. */
export function upstreamOf(heap: Float32Array | Float64Array, gradOutput: number, scale: number, i: number): number {
  return gradOutput === 0 ? scale : scale * heap[gradOutput + i]!;
}
