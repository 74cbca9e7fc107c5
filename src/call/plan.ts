import { alignUp, STAGING_BYTES } from '../memory/arena.js';
import type { Rows } from './rows.js';

/** The most operands that a kernel may have. */
export const MOST_SLOTS = 8;
/** The most bytes that aligning the operands may take. */
const PADDING = 2 * MOST_SLOTS * alignUp(1);
/** The narrowest block of columns, in elements: whole cache lines. */
const NARROWEST = 16;

/** What a plan depends on for each operand. */
export interface PlannedOperand {
  /** Bytes of the operand for one column of an outer slice. */
  readonly columnBytes: number;
  /** Elements in a row: all n, one, or another number. */
  readonly perRow: number;
  /** Whether its blocks are staged, and whether they are transposed there. */
  readonly isStaged: boolean;
  readonly isTransposed: boolean;
  /** Bytes of the period of numbers that repeat, which is staged once, in addition to the block. */
  readonly periodBytes: number;
}

/** How the rows of a call are split into blocks. */
export interface Plan {
  /**
   * The number of outer slices in a block and, if a single slice is too large, of blocks that its columns are split
   * into.
   */
  readonly slices: number;
  readonly columnBlocks: number;
  /** The number of columns of the widest block. */
  readonly width: number;
  /** Bytes of staging memory, and whether they exceed the fixed staging memory and have to be allocated. */
  readonly bytes: number;
  readonly isLarge: boolean;
}

/**
 * Splits the rows of `count` operands into blocks that fit into the staging memory: whole outer slices, a multiple of
 * `multiple` of them. If a slice is too large, it is split into blocks of columns; a single row that is too large
 * becomes one large block.
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

/**
 * Splits a slice into blocks of columns. These are compact copies, so operands in linear memory are staged like the
 * others.
 */
function planColumns(inner: number, operands: readonly PlannedOperand[], room: number): Plan {
  let columnBytes = 0;
  for (const operand of operands) if (operand.isStaged || operand.perRow > 1) columnBytes += operand.columnBytes;
  const columnBlocks = Math.ceil(inner / Math.max(Math.floor(room / columnBytes), NARROWEST));
  const width = Math.ceil(inner / columnBlocks);
  const bytes = columnBytes * width;
  const isLarge = bytes > room;
  return { slices: 1, columnBlocks, width, bytes: isLarge ? bytes + PADDING : bytes, isLarge };
}
