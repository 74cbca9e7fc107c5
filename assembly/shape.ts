// The shape of a kernel's input, [outer, n, inner]: outer · inner rows of n elements, `inner` elements apart. Which
// form computes them, where they lie, and how many of them make a block.

import { LINE_BYTES } from "./scratch";
import { lanes } from "./simd/lanes";

/** The shortest row that is worth a loop of its own; shorter ones go through transposed blocks. */
// @ts-ignore: decorator
@inline
function ROW_LENGTH<T>(): usize {
  return sizeof<T>() == 4 ? 48 : 24;
}

/**
 * Whether rows of this shape are computed in the row form. The number of rows must not matter: results would depend on
 * it.
 */
// @ts-ignore: decorator
@inline
export function usesRowForm<T>(n: usize, inner: usize): bool {
  return inner == 1 && n >= ROW_LENGTH<T>();
}

/** Whether rows that are too short for the row form are contiguous, of f32 and a vector or more each: no transposing then. */
// @ts-ignore: decorator
@inline
export function isShort<T>(n: usize, inner: usize): bool {
  return sizeof<T>() == 4 && inner == 1 && n >= lanes<f32>();
}

/** Rows in a block: 16 of f32, 8 of f64. */
// @ts-ignore: decorator
@inline
export function BLOCK_ROWS<T>(): usize {
  return LINE_BYTES / sizeof<T>();
}

/** Vectors across a line that so many rows take. */
// @ts-ignore: decorator
@inline
export function columnsOf<T>(rows: usize): usize {
  return (rows + lanes<T>() - 1) / lanes<T>();
}

/** Rows in the block that begins with row `first` of [outer, inner]; a block never crosses an outer slice. */
// @ts-ignore: decorator
@inline
export function rowsInBlock<T>(first: usize, outer: usize, inner: usize): usize {
  return min(BLOCK_ROWS<T>(), inner == 1 ? outer - first : inner - (first % inner));
}

/** Bytes from a row's first element to that of the next in the same block. */
// @ts-ignore: decorator
@inline
export function rowStep<T>(n: usize, inner: usize): usize {
  return (inner == 1 ? n : 1) * sizeof<T>();
}

/** Address of a row's first element. */
// @ts-ignore: decorator
@inline
export function addressOf<T>(x: usize, n: usize, inner: usize, row: usize): usize {
  return x + ((row / inner) * n * inner + (row % inner)) * sizeof<T>();
}
