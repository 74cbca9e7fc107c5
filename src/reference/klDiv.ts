import type { KlDivOperands } from '../generated/kernels.js';
import type { Heaps } from '../wasm/kernel.js';
import { exp32 } from './exponential.js';
import { log32 } from './logarithm.js';
import { storeSum, upstreamOf } from './loss.js';
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
  const { f64, i32 } = heaps;
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
      : (target === 0 ? 0 : target * (elementBytes === 4 ? log32(target, i32[ofTargets + i]!) : Math.log(target))) -
        target * heap[ofX + i]!;
    if (gradient) heap[gradient / elementBytes + i] = -share * upstreamOf(heap, gradOutput / elementBytes, scale, i);
    if (losses) heap[losses / elementBytes + i] = loss;
    else {
      lost += roundingOf(total, loss, total + loss);
      total += loss;
    }
  }
  storeSum(heaps, sum, total, lost);
}
