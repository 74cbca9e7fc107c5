import { alignUp, STAGING_BYTES } from '../memory/arena.js';
import type { Rows } from './rows.js';

/** The most operands that a kernel has. */
export const MOST_SLOTS = 8;
/** What alignment may take beside the bytes of the operands. */
const PADDING = 2 * MOST_SLOTS * alignUp(1);
/** The narrowest block of columns, in elements: whole cache lines. */
const NARROWEST = 16;

/** What a plan has to know of an operand. */
export interface PlannedOperand {
  /** Bytes of the operand in a column of an outer slice. */
  readonly columnBytes: number;
  /** Elements in a row: all n, one, or another number. */
  readonly perRow: number;
  /** Whether its blocks are copied through the staging memory, and whether they are transposed there. */
  readonly isStaged: boolean;
  readonly isTransposed: boolean;
  /** Bytes of numbers that repeat, which lie there once, beside the block. */
  readonly periodBytes: number;
}

/** How the rows of a call are split into blocks. */
export interface Plan {
  /** Outer slices in a block, and blocks that the columns of a slice are split into where one slice is too large. */
  readonly slices: number;
  readonly columnBlocks: number;
  /** Columns of the widest block. */
  readonly width: number;
  /** Bytes of staging memory, and whether they are more than there always are. */
  readonly bytes: number;
  readonly isLarge: boolean;
}

/**
 * Splits the rows of so many operands into blocks that fit the staging memory: whole outer slices, a multiple of
 * `multiple` of them; where one slice is too large, blocks of its columns; where it is one row, all of it.
 */
export function planBlocks(
  { outer, inner }: Rows,
  operands: readonly PlannedOperand[],
  count: number,
  multiple: number,
): Plan {
  let sliceBytes = 0;
  let room = STAGING_BYTES - PADDING;
  for (let i = 0; i < count; i++) {
    const operand = operands[i]!;
    if (operand.isStaged) sliceBytes += operand.columnBytes * inner;
    if (operand.isTransposed) sliceBytes += operand.columnBytes * inner;
    room -= operand.periodBytes;
  }
  const most = Math.max(outer, 1);
  const slices = Math.min(Math.floor(room / sliceBytes / multiple) * multiple, most);
  if (slices > 0) return { slices, columnBlocks: 1, width: inner, bytes: sliceBytes * slices, isLarge: false };
  if (inner >= 2 * NARROWEST) return planColumns(inner, operands.slice(0, count), room);
  return { slices: 1, columnBlocks: 1, width: inner, bytes: sliceBytes + PADDING, isLarge: true };
}

/** Blocks of a slice's columns. They are compact, so that operands in linear memory are staged like the others. */
function planColumns(inner: number, operands: readonly PlannedOperand[], room: number): Plan {
  let columnBytes = 0;
  for (const operand of operands) if (operand.isStaged || operand.perRow > 1) columnBytes += operand.columnBytes;
  const columnBlocks = Math.ceil(inner / Math.max(Math.floor(room / columnBytes), NARROWEST));
  const width = Math.ceil(inner / columnBlocks);
  const bytes = columnBytes * width;
  const isLarge = bytes > room;
  return { slices: 1, columnBlocks, width, bytes: isLarge ? bytes + PADDING : bytes, isLarge };
}
