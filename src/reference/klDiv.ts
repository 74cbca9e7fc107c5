import type { Heaps } from '../runtime/kernel.js';
import { emit } from './emit.js';

/** The operands of klDiv and logKlDiv, as assembly/kernels/klDiv.ts describes them. */
type Operands = [
  x: number,
  targets: number,
  losses: number,
  gradient: number,
  count: number,
  scale: number,
  scales: number,
  sum: number,
  scratch: number,
];

/** Kullback-Leibler divergence in a plain loop, with its gradient. */
export function klDiv(heaps: Heaps, elementBytes: 4 | 8, ...operands: Operands): void {
  forEachElement(heaps, elementBytes, operands, (x, target) => {
    const entropy = target === 0 ? 0 : target * Math.log(target);
    return { share: target, loss: entropy - target * x };
  });
}

/** The same for targets that are logarithms. */
export function logKlDiv(heaps: Heaps, elementBytes: 4 | 8, ...operands: Operands): void {
  forEachElement(heaps, elementBytes, operands, (x, target) => {
    const share = Math.exp(target);
    return { share, loss: share * (target - x) };
  });
}

function forEachElement(
  heaps: Heaps,
  elementBytes: 4 | 8,
  [x, targets, losses, gradient, count, scale, scales, sum]: Operands,
  compute: (x: number, target: number) => { share: number; loss: number },
): void {
  const heap = heaps.floats(elementBytes);
  const at = (array: number, i: number) => heap[array / elementBytes + i]!;
  for (let i = 0; i < count; i++) {
    const { share, loss } = compute(at(x, i), at(targets, i));
    const upstream = scales ? scale * at(scales, i) : scale;
    if (gradient) heap[gradient / elementBytes + i] = -share * upstream;
    emit(heaps, elementBytes, losses, sum, i, loss);
  }
}
