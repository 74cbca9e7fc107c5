import type { SmoothTargetsOperands } from '../generated/kernels.js';
import type { Heaps } from '../wasm/kernel.js';
import { keeps } from './mask.js';
import { forEachRow } from './rows.js';

/** Label smoothing over what a mask keeps, in plain loops. */
export function smoothTargets(
  heaps: Heaps,
  elementBytes: 4 | 8,
  { targets, y, outer, n, inner, smoothing, mask }: SmoothTargetsOperands,
): void {
  const heap = heaps.floats(elementBytes);
  forEachRow(outer, n, inner, (offset, row) => {
    let kept = 0;
    for (let j = 0; j < n; j++) if (keeps(heaps, mask, row, j, n)) kept++;
    for (let j = 0, at = offset; j < n; j++, at += inner) {
      const own = targets === 0 ? 0 : heap[targets / elementBytes + at]! * (1 - smoothing);
      heap[y / elementBytes + at] = keeps(heaps, mask, row, j, n) ? own + smoothing / kept : own;
    }
  });
}
