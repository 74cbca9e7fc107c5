import type { KlDivOperands } from '../generated/kernels.js';
import type { Heaps } from '../wasm/kernel.js';
import { exp32 } from './exponential.js';
import { indexOf } from './rows.js';
import { roundingOf } from './sum.js';

/** Kullback-Leibler divergence in a plain loop, with its gradient. */
export function klDiv(heaps: Heaps, elementBytes: 4 | 8, operands: KlDivOperands): void {
  divergence(heaps, elementBytes, operands, false);
}

/** The same for targets that are logarithms. */
export function logKlDiv(heaps: Heaps, elementBytes: 4 | 8, operands: KlDivOperands): void {
  divergence(heaps, elementBytes, operands, true);
}

function divergence(
  heaps: Heaps,
  elementBytes: 4 | 8,
  { x, targets, losses, gradient, count, scale, gradOutput, sum }: KlDivOperands,
  isLog: boolean,
): void {
  const { f64 } = heaps;
  const heap = heaps.floats(elementBytes);
  const exp = elementBytes === 4 ? exp32 : Math.exp;
  const [ofX, ofTargets] = [indexOf(x, elementBytes), indexOf(targets, elementBytes)];
  let total = f64[sum / 8]!;
  let lost = f64[sum / 8 + 1]!;
  for (let i = 0; i < count; i++) {
    const target = heap[ofTargets + i]!;
    const share = isLog ? exp(target) : target;
    const loss = isLog
      ? share * (target - heap[ofX + i]!)
      : (target === 0 ? 0 : target * Math.log(target)) - target * heap[ofX + i]!;
    if (gradient) heap[gradient / elementBytes + i] = -share * upstreamOf(heap, gradOutput / elementBytes, scale, i);
    if (losses) heap[losses / elementBytes + i] = loss;
    else {
      // As storeLoss does; in memory, each addition would wait for the one before.
      const before = total;
      total += loss;
      lost += roundingOf(before, loss, total);
    }
  }
  if (losses) return;
  f64[sum / 8] = total;
  f64[sum / 8 + 1] = lost;
}

/** What the gradient of element i is multiplied by; there is no gradOutput at 0. */
export function upstreamOf(heap: Float32Array | Float64Array, gradOutput: number, scale: number, i: number): number {
  return gradOutput === 0 ? scale : scale * heap[gradOutput + i]!;
}
