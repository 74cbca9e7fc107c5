import type { FloatArray, Half, IntegerArray } from '../arrays.js';
import { HEADER_BYTES, LINE_BYTES } from '../generated/layout.js';
import { type Arena, alignUp, KERNEL_SCRATCH, OPERAND_SCRATCH } from '../memory/arena.js';
import { addRange, copyMask, copyRange, type Numbers } from './copy.js';
import type { Halves } from './halves.js';
import type { IndexPlace, Operand } from './place.js';
import { MOST_SLOTS, type Plan, type PlannedOperand, planBlocks } from './plan.js';
import type { Rows } from './rows.js';

const NO_ROWS: Rows = { outer: 0, n: 0, inner: 0, count: 0, axis: 0 };

/** Transposes the last two axes of [outer, n, inner]. */
export type Transpose = (x: number, y: number, outer: number, n: number, inner: number) => void;

/** Writes the elements of an operand block by block: Broadcast, or Pairs in evaluation.ts. */
export interface ElementSource {
  /** The number of elements after which they repeat, 0 if they do not. */
  readonly period: number;
  /** Writes the elements of `count` outer slices, from `first` on, into a heap at index `at`. */
  fill(arena: Arena, heap: FloatArray, at: number, first: number, count: number): void;
}

/** What a kernel requires of the blocks that it gets. */
export interface RunSettings {
  /** The number of operands that the kernel holds as transposed blocks at the same time. Default 1. */
  readonly transposedBlocks?: number;
  /** Blocks begin at multiples of this many outer slices. Default 1. */
  readonly multiple?: number;
  /** Whether operands may be transposed while they are staged, so that the axis comes last. Default true. */
  readonly mayTranspose?: boolean;
}

const DEFAULTS: RunSettings = {};

/** An operand of the call in progress. */
class Slot implements PlannedOperand {
  /** The elements, if they are not in linear memory. */
  array: Numbers | undefined;
  /** What writes the elements block by block, if they do not exist as such. */
  source: ElementSource | undefined;
  /** The address of the whole operand if the kernel uses it where it is; -1 if it is staged. */
  address = -1;
  /** The address of the whole operand in linear memory even if it is staged from there; -1 if it is elsewhere. */
  home = -1;
  /** Whether results are added to the elements that are there. */
  isSum = false;
  /** The number of the operand's elements for each row: all n, one, or another number. */
  perRow = 1;
  isOutput = false;
  isInteger = false;
  /** The type of its elements, if they are stored in 16 bits: they are staged as float32. */
  half: Half | undefined;
  elementBytes = 4;
  isTransposed = false;
  /** The address in staging memory for the operand's blocks. */
  staging = 0;
  /**
   * The address of the current block, staged or not, and the one that the kernel gets: the same, or that of the
   * transposed copy.
   */
  start = 0;
  block = 0;
  /** The address where 16-bit floats are narrowed on their way to an array. */
  narrowed = 0;
  /** Bytes for one column of an outer slice, and bytes of the period of numbers that repeat. */
  columnBytes = 4;
  periodBytes = 0;

  get isStaged(): boolean {
    return this.address < 0;
  }
}

/**
 * Runs a kernel over its operands block by block. Operands in linear memory are used where they lie; typed arrays
 * elsewhere are staged: copied through memory of a fixed size, whole rows at a time. A short inner axis
 * (1 < inner < lanes) is moved in front of the others on the way, so that kernels see rows.
 *
 * In an elementwise operation, each element is a row.
 *
 * A runtime has only one run, which is reused: none of the caller's code runs while it is open.
 *
 *     run.open('softmax', rows, bytes);
 *     const x = run.input(operand), y = run.output(result);
 *     run.start();
 *     while (run.next()) kernel({ x: run.at(x), y: run.at(y), outer: run.outer, n, inner: run.inner, …});
 */
export class Run {
  /** Sizes of the current block, as the kernel sees them. */
  outer = 0;
  inner = 0;
  /** The address of the kernel's scratch. */
  scratch = 0;

  readonly #arena: Arena;
  readonly #transpose: Transpose | undefined;
  readonly #halves: Halves;
  /** The operands of the call: the first #count slots. */
  readonly #slots = Array.from({ length: MOST_SLOTS }, () => new Slot());
  #count = 0;
  #operation = '';
  #rows = NO_ROWS;
  #elementBytes: 4 | 8 = 4;
  #settings = DEFAULTS;
  #transposes = false;
  /**
   * Whether any operand is staged; and the plan: outer slices in a block, or blocks that a slice's columns are split
   * into.
   */
  #stages = false;
  #slices = 1;
  #columnBlocks = 1;
  /** Where the current block begins: an outer slice, and a block of its columns. */
  #slice = 0;
  #columnBlock = 0;
  #isStarted = false;
  /** Bytes of the operand scratch that are reserved. */
  #reserved = 0;
  /** Blocks of the arena that are freed at the end of the call. */
  readonly #temporary: number[] = [];

  constructor(arena: Arena, halves: Halves, transpose: Transpose | undefined) {
    this.#arena = arena;
    this.#halves = halves;
    this.#transpose = transpose;
  }

  open(operation: string, rows: Rows, elementBytes: 4 | 8, settings = DEFAULTS): void {
    const { inner } = rows;
    this.#freeTemporary();
    this.#count = 0;
    this.#reserved = 0;
    this.#operation = operation;
    this.#rows = rows;
    this.#elementBytes = elementBytes;
    this.#settings = settings;
    const isShort = inner > 1 && inner < 16 / elementBytes;
    this.#transposes = isShort && settings.mayTranspose !== false && this.#transpose !== undefined;
    this.#isStarted = false;
    this.#stages = false;
  }

  /** Adds an operand that is read. With `isChanged`, the kernel gets copies of its blocks, which may be overwritten. */
  input(operand: Operand, isChanged = false): number {
    const { array, address, elementBytes, half } = operand;
    const index = this.#add(array, address, this.#rows.n, false, elementBytes, false, half);
    if (isChanged) this.#stageAnyway(this.#slots[index]!);
    return index;
  }

  /**
   * Adds an operand whose elements a source writes block by block. A source with a period is for elementwise
   * operations.
   */
  source(source: ElementSource): number {
    const index = this.#add(undefined, -1, this.#rows.n, false, this.#elementBytes, false);
    const slot = this.#slots[index]!;
    slot.source = source;
    slot.periodBytes = source.period * this.#elementBytes;
    return index;
  }

  /**
   * Adds floats that are written or, with `isSum`, added to what is there: as many as are read, or `perRow` for each
   * row.
   */
  output({ array, address, half }: Operand, perRow = this.#rows.n, isSum = false): number {
    const index = this.#add(array, address, perRow, true, this.#elementBytes, false, half);
    const slot = this.#slots[index]!;
    slot.isSum = isSum;
    if (isSum) this.#stageAnyway(slot);
    return index;
  }

  /** Adds memory for as many floats as the current block has elements, for one kernel to write and another to read. */
  intermediate(): number {
    const index = this.#add(undefined, -1, this.#rows.n, true, this.#elementBytes, false);
    this.#slots[index]!.isTransposed = false;
    return index;
  }

  /** Adds int32 that are written, `perRow` for each row. */
  integerOutput({ array, address }: IndexPlace, perRow: number): number {
    return this.#add(array, address, perRow, true, 4, true);
  }

  /** Adds a mask with an element for each of the input's, which the kernel reads as bytes. */
  mask(array: IntegerArray): number {
    return this.#add(array, -1, this.#rows.n, false, 1, true);
  }

  /** Adds an operand in linear memory that has one element for each row. */
  perRow(address: number, elementBytes: number): number {
    return this.#add(undefined, address, 1, false, elementBytes, false);
  }

  #add(
    array: Numbers | undefined,
    address: number,
    perRow: number,
    isOutput: boolean,
    elementBytes: number,
    isInteger: boolean,
    half?: Half,
  ): number {
    const slot = this.#slots[this.#count]!;
    slot.array = array;
    slot.source = undefined;
    slot.isSum = false;
    slot.address = slot.home = slot.block = address;
    slot.perRow = perRow;
    slot.isOutput = isOutput;
    slot.isInteger = isInteger;
    slot.half = half;
    slot.elementBytes = elementBytes;
    // Floats that are narrowed on their way to an array need memory for that too.
    slot.columnBytes = perRow * (half !== undefined && isOutput && address < 0 ? elementBytes + 2 : elementBytes);
    slot.periodBytes = 0;
    // With one element for each row, transposing changes nothing.
    slot.isTransposed = this.#transposes && perRow > 1 && elementBytes === 4;
    if (address < 0 || slot.isTransposed) this.#stages = true;
    if (half !== undefined) this.#stageAnyway(slot);
    return this.#count++;
  }

  #stageAnyway(slot: Slot): void {
    slot.address = -1;
    this.#stages = true;
  }

  /** Reserves memory for a small operand until the call ends. Call it after `open` and before the first block. */
  reserve(bytes: number): number {
    if (this.#reserved + bytes > OPERAND_SCRATCH) return this.#allocate(bytes);
    const address = this.#arena.operandScratch + this.#reserved;
    this.#reserved += alignUp(bytes);
    return address;
  }

  /** The operand's address in the current block. */
  at(index: number): number {
    return this.#slots[index]!.block;
  }

  /** The same for an optional operand: 0 if it was not added, and its slot is -1. */
  atOrZero(index: number): number {
    return index < 0 ? 0 : this.at(index);
  }

  /** The number of columns of the current block in memory, even if the kernel sees them as rows. */
  get width(): number {
    return this.#transposes ? this.#rows.inner : this.inner;
  }

  /** The number of the current block's first row, in the order of [outer, inner]. */
  get first(): number {
    return this.#slice * this.#rows.inner + this.#firstColumn(this.#columnBlock);
  }

  /**
   * Plans the blocks and allocates their memory: if memory has to grow, it grows here. If that fails, the results that
   * the call has made are freed.
   */
  start(made?: Operand, alsoMade?: Operand): void {
    try {
      const { n, inner } = this.#rows;
      const blocks = inner > 1 && !this.#transposes ? (this.#settings.transposedBlocks ?? 1) : 0;
      const bytes = HEADER_BYTES + n * LINE_BYTES * blocks;
      this.scratch = bytes <= KERNEL_SCRATCH ? this.#arena.kernelScratch : this.#allocate(bytes);
      this.#slices = Math.max(this.#rows.outer, 1);
      this.#columnBlocks = 1;
      if (this.#stages) this.#stage(planBlocks(this.#rows, this.#slots, this.#count, this.#settings.multiple ?? 1));
    } catch (error) {
      this.#finish();
      made?.tensor?.dispose();
      alsoMade?.tensor?.dispose();
      throw error;
    }
    this.#slice = 0;
    this.#columnBlock = 0;
  }

  /** Assigns staging memory to every operand that needs it. */
  #stage({ slices, columnBlocks, width, bytes, isLarge }: Plan): void {
    this.#slices = slices;
    this.#columnBlocks = columnBlocks;
    let at = isLarge ? this.#allocate(bytes) : this.#arena.staging;
    for (let i = 0; i < this.#count; i++) {
      const slot = this.#slots[i]!;
      // Blocks of columns are compact, and operands in linear memory are not: they are staged too.
      if (columnBlocks > 1 && slot.perRow > 1) slot.address = -1;
      const size = alignUp(slot.columnBytes * slices * width + slot.periodBytes);
      if (slot.isStaged) {
        slot.staging = at;
        slot.narrowed = at + slot.perRow * slot.elementBytes * slices * width;
        at += size;
      }
      if (slot.isTransposed) {
        slot.block = at;
        at += size;
      }
    }
  }

  #allocate(bytes: number): number {
    const start = this.#arena.allocate(bytes, this.#operation);
    this.#temporary.push(start);
    return start;
  }

  #freeTemporary(): void {
    while (this.#temporary.length > 0) this.#arena.free(this.#temporary.pop()!);
  }

  /** Stores the finished block, and loads the next one; false if there is none. */
  next(): boolean {
    if (this.#isStarted) {
      if (this.#stages) this.#copyOut();
      if (this.#columnBlock + 1 < this.#columnBlocks) this.#columnBlock++;
      else {
        this.#columnBlock = 0;
        this.#slice += this.#slices;
      }
    }
    this.#isStarted = true;
    const { outer, inner } = this.#rows;
    if (this.#slice >= outer || inner === 0) {
      this.#finish();
      return false;
    }
    // Rows of one element have the axis last without a copy. Then perhaps nothing is staged, but kernels still see
    // rows.
    this.outer = this.#transposes ? outer * inner : outer;
    this.inner = this.#transposes ? 1 : inner;
    if (this.#stages) this.#copyIn();
    return true;
  }

  /** Loads what the kernel reads of the current block. */
  #copyIn(): void {
    const { outer, inner } = this.#rows;
    const column = this.#firstColumn(this.#columnBlock);
    const width = this.#firstColumn(this.#columnBlock + 1) - column;
    const count = Math.min(this.#slices, outer - this.#slice);
    this.outer = this.#transposes ? count * width : count;
    this.inner = this.#transposes ? 1 : width;
    for (let i = 0; i < this.#count; i++) {
      const slot = this.#slots[i]!;
      const { address, staging, columnBytes, elementBytes, periodBytes } = slot;
      if (address >= 0) slot.start = address + columnBytes * inner * this.#slice + column * elementBytes;
      // The period was written once; a block begins anywhere within it.
      else slot.start = periodBytes > 0 ? staging + ((this.#slice * elementBytes) % periodBytes) : staging;
      if (!slot.isTransposed) slot.block = slot.start;
      if (slot.isOutput) continue;
      if (slot.source !== undefined) this.#fill(slot, slot.source);
      else if (address < 0) this.#copy(slot);
      if (slot.isTransposed) this.#transpose!(slot.start, slot.block, this.outer / inner, slot.perRow, inner);
    }
  }

  /** Frees temporary memory, and drops the references to the caller's arrays, which must not be kept alive. */
  #finish(): void {
    this.#freeTemporary();
    for (let i = 0; i < this.#count; i++) {
      const slot = this.#slots[i]!;
      slot.array = undefined;
      slot.source = undefined;
    }
  }

  #firstColumn(columnBlock: number): number {
    const { inner } = this.#rows;
    return this.#columnBlocks === 1 ? columnBlock * inner : Math.floor((columnBlock * inner) / this.#columnBlocks);
  }

  #fill({ staging, elementBytes }: Slot, source: ElementSource): void {
    const heap = this.#arena.floats(elementBytes);
    const at = staging / elementBytes;
    const { period } = source;
    if (period === 0) source.fill(this.#arena, heap, at, this.#slice, this.outer);
    else if (this.#slice === 0) source.fill(this.#arena, heap, at, 0, this.outer + period);
  }

  #copyOut(): void {
    const { inner } = this.#rows;
    for (let i = 0; i < this.#count; i++) {
      const slot = this.#slots[i]!;
      if (!slot.isOutput) continue;
      if (slot.isTransposed) this.#transpose!(slot.block, slot.start, this.outer / inner, inner, slot.perRow);
      // An output without a destination is an intermediate.
      if (slot.isStaged && (slot.array !== undefined || slot.home >= 0)) this.#copy(slot);
    }
  }

  /** Copies the current block between the caller's array and the staging memory. */
  #copy(slot: Slot): void {
    const { perRow } = slot;
    const { inner } = this.#rows;
    const at = slot.staging / slot.elementBytes;
    if (this.#columnBlocks === 1) {
      const count = perRow * (this.#transposes ? this.outer : this.outer * inner);
      this.#copyPart(slot, perRow * inner * this.#slice, at, count);
      return;
    }
    const first = this.#firstColumn(this.#columnBlock);
    const width = this.inner;
    for (let j = 0; j < perRow; j++) {
      const start = (this.#slice * perRow + j) * inner + first;
      this.#copyPart(slot, start, at + j * width, width);
    }
  }

  /** Copies contiguous elements. */
  #copyPart(slot: Slot, start: number, at: number, count: number): void {
    const { home, isOutput, isSum, elementBytes } = slot;
    if (slot.half !== undefined) {
      if (!isOutput) this.#halves.load(slot, start, at * 4, count);
      else if (isSum) this.#halves.add(slot, start, at * 4, count);
      else this.#halves.store(slot, start, at * 4, slot.narrowed, count);
      return;
    }
    if (elementBytes === 1) {
      copyMask(slot.array as IntegerArray, start, count, this.#arena.u8, at);
      return;
    }
    const heap = slot.isInteger ? this.#arena.i32 : this.#arena.floats(elementBytes);
    const array = home < 0 ? (slot.array as FloatArray | Int32Array) : heap;
    const first = home < 0 ? start : start + home / elementBytes;
    if (isSum) addRange(array as FloatArray, first, heap, at, count);
    else copyRange(array, first, heap, at, count, isOutput);
  }
}
