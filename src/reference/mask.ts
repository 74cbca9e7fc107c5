import { AXIS_COUNT, AXIS_LIST, BASE, CAUSAL_FIRST, CAUSAL_ROWS, FIRST_ROW, STRIDE } from '../generated/layout.js';
import type { Heaps } from '../wasm/kernel.js';

/** The address of the element of a broadcast operand, given by its descriptor, that belongs to element j of a row. */
export function placeOf({ i32 }: Heaps, descriptor: number, row: number, j: number, elementBytes: number): number {
  const at = descriptor / 4;
  let p = i32[at + FIRST_ROW]! + row;
  let place = j * i32[at + STRIDE]!;
  for (let axis = at + AXIS_LIST; axis < at + AXIS_LIST + 2 * i32[at + AXIS_COUNT]!; axis += 2) {
    place += (p % i32[axis]!) * i32[axis + 1]!;
    p = Math.floor(p / i32[axis]!);
  }
  // Unsigned: addresses go up to 4 GiB.
  return (i32[at + BASE]! >>> 0) + place * elementBytes;
}

/** How many of the first of n elements of a row causality keeps; all of them if the mask is not causal. */
export function keptLength({ i32 }: Heaps, mask: number, row: number, n: number): number {
  const at = mask / 4;
  const rows = i32[at + CAUSAL_ROWS]!;
  return rows === 0 ? n : Math.max(0, ((i32[at + CAUSAL_FIRST]! + row) % rows) + 1 + n - rows);
}

/** The distance between the mask's bytes of a row's elements, or -1 if the mask is only causal. */
export function keptStride({ i32 }: Heaps, mask: number): number {
  return i32[mask / 4 + BASE] === 0 ? -1 : i32[mask / 4 + STRIDE]!;
}

/** Whether element j of a row of n elements is kept; without a mask (0) all are. */
export function keeps(heaps: Heaps, mask: number, row: number, j: number, n: number): boolean {
  if (mask === 0) return true;
  if (j >= keptLength(heaps, mask, row, n)) return false;
  return keptStride(heaps, mask) < 0 || heaps.u8[placeOf(heaps, mask, row, j, 1)] !== 0;
}

/** Visits the elements of a row of n elements that a mask does not keep; none without a mask (0). */
export function forEachMasked(heaps: Heaps, mask: number, row: number, n: number, visit: (j: number) => void): void {
  if (mask === 0) return;
  const length = keptLength(heaps, mask, row, n);
  const stride = keptStride(heaps, mask);
  if (stride >= 0) {
    const { u8 } = heaps;
    for (let j = 0, at = placeOf(heaps, mask, row, 0, 1); j < length; j++, at += stride) if (u8[at] === 0) visit(j);
  }
  for (let j = length; j < n; j++) visit(j);
}
