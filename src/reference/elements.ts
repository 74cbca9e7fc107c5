import type { KlDivOperands, SigmoidOperands } from '../generated/kernels.js';
import type { Heaps } from '../wasm/kernel.js';
import { storeLoss } from './loss.js';

/** Computes each element by itself. */
export function mapElements(
  heaps: Heaps,
  elementBytes: 4 | 8,
  { x, y, count }: SigmoidOperands,
  compute: (x: number) => number,
): void {
  const heap = heaps.floats(elementBytes);
  for (let i = 0; i < count; i++) heap[y / elementBytes + i] = compute(heap[x / elementBytes + i]!);
}

/** A loss for each element, with its slope for the gradient. */
export function forEachLoss(
  heaps: Heaps,
  elementBytes: 4 | 8,
  { x, targets, losses, gradient, count, scale, gradOutput, sum }: KlDivOperands,
  compute: (x: number, target: number, i: number) => { loss: number; slope: number },
): void {
  const heap = heaps.floats(elementBytes);
  const at = (array: number, i: number) => heap[array / elementBytes + i]!;
  for (let i = 0; i < count; i++) {
    const { loss, slope } = compute(at(x, i), at(targets, i), i);
    const upstream = gradOutput ? scale * at(gradOutput, i) : scale;
    if (gradient) heap[gradient / elementBytes + i] = slope * upstream;
    storeLoss(heaps, elementBytes, losses, sum, i, loss);
  }
}
