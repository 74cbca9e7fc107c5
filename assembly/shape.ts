// The shape of a kernel's input, [outer, n, inner]: outer · inner rows of n elements, `inner` elements apart. Which form
// computes them, where they lie, and how many of them make a block.

import { LINE_BYTES } from "./scratch";
import { lanes } from "./simd/lanes";

/** Shortest row that is worth a loop of its own; shorter ones go through tiles. */
// @ts-ignore: decorator
@inline
function ROW_LENGTH<T>(): usize {
  return sizeof<T>() == 4 ? 48 : 24;
}

/** Whether the row form computes problems of this shape: by n, inner and type alone, so that results never depend on
 * how many there are. */
// @ts-ignore: decorator
@inline
export function usesRows<T>(n: usize, inner: usize): bool {
  return inner == 1 && n >= ROW_LENGTH<T>();
}

/** Problems in a tile: 16 for f32, 8 for f64. */
// @ts-ignore: decorator
@inline
export function TILE<T>(): usize {
  return LINE_BYTES / sizeof<T>();
}

/** Vectors that hold this many problems. */
// @ts-ignore: decorator
@inline
export function columnsOf<T>(problems: usize): usize {
  return (problems + lanes<T>() - 1) / lanes<T>();
}

/** Problems of the tile that begins with problem `first` of [outer, inner]: a tile stays within an outer slice. */
// @ts-ignore: decorator
@inline
export function problemsOfTile<T>(first: usize, outer: usize, inner: usize): usize {
  return min(TILE<T>(), inner == 1 ? outer - first : inner - (first % inner));
}

/** Address of the first element of a problem. */
// @ts-ignore: decorator
@inline
export function addressOf<T>(x: usize, n: usize, inner: usize, problem: usize): usize {
  return x + ((problem / inner) * n * inner + (problem % inner)) * sizeof<T>();
}
