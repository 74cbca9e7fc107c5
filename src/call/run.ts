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

/** What writes the elements of an operand block by block: Broadcast, or Pairs of evaluation.ts. */
export interface ElementSource {
  /** Elements after which they repeat, 0 where they do not. */
  readonly period: number;
  /** Writes the elements of so many outer slices, from `first` on, into a heap. */
  fill(arena: Arena, heap: FloatArray, at: number, first: number, count: number): void;
}

/** What tells kernels apart. */
export interface RunSettings {
  /** Operands that the kernel holds as transposed blocks at a time. Default 1. */
  readonly transposedBlocks?: number;
  /** Blocks begin at multiples of so many outer slices. Default 1. */
  readonly multiple?: number;
  /** Whether operands may be staged with the axis last. Default true. */
  readonly mayTranspose?: boolean;
}

const USUAL: RunSettings = {};

/** An operand of the call in progress. */
class Slot implements PlannedOperand {
  /** Where the elements are when not in linear memory. */
  array: Numbers | undefined;
  /** What the elements are written from, block by block, when they are not there as they are read. */
  source: ElementSource | undefined;
  /** Where the whole operand lies in linear memory, -1 when it is staged. */
  address = -1;
  /** Where it lies in linear memory all the same, -1 where it does not. */
  home = -1;
  /** Whether what is computed is added to what is there. */
  isSum = false;
  /** Elements of the operand that belong to a row: all n, one, or another number. */
  perRow = 1;
  isOutput = false;
  isInteger = false;
  /** How its elements are stored where that is in 16 bits: they are staged as float32. */
  half: Half | undefined;
  elementBytes = 4;
  isTransposed = false;
  /** Where blocks of the operand are staged. */
  staging = 0;
  /** Where the block at hand begins, staged or not, and where the kernel finds it: there, or with the axis last. */
  start = 0;
  block = 0;
  /** Where floats of 16 bits are narrowed to, on their way to an array. */
  narrowed = 0;
  /** Bytes in a column of an outer slice, and of numbers that repeat. */
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
 * An element-wise operation has its elements for rows of one.
 *
 * There is one for each runtime and none of the caller's code runs while it is open, so it is simply reused:
 *
 *     run.open('softmax', rows, bytes);
 *     const x = run.input(operand), y = run.output(result);
 *     run.start();
 *     while (run.next()) kernel({ x: run.at(x), y: run.at(y), outer: run.outer, n, inner: run.inner, …});
 */
export class Run {
  /** Sizes of the block at hand, as the kernel sees them. */
  outer = 0;
  inner = 0;
  /** What the kernel may use for itself. */
  scratch = 0;

  readonly #arena: Arena;
  readonly #transpose: Transpose | undefined;
  readonly #halves: Halves;
  /** The operands of the call, so many of them. */
  readonly #slots = Array.from({ length: MOST_SLOTS }, () => new Slot());
  #count = 0;
  #operation = '';
  #rows = NO_ROWS;
  #elementBytes: 4 | 8 = 4;
  #settings = USUAL;
  #transposes = false;
  /** Whether any operand is staged; and the plan: outer slices in a block, blocks of a slice's columns. */
  #stages = false;
  #slices = 1;
  #columnBlocks = 1;
  /** Where the block at hand begins: an outer slice, and a block of its columns. */
  #slice = 0;
  #columnBlock = 0;
  #isStarted = false;
  /** Bytes of the operand scratch that are taken. */
  #reserved = 0;
  /** Blocks of the arena that end with the call. */
  readonly #temporary: number[] = [];

  constructor(arena: Arena, halves: Halves, transpose: Transpose | undefined) {
    this.#arena = arena;
    this.#halves = halves;
    this.#transpose = transpose;
  }

  open(operation: string, rows: Rows, elementBytes: 4 | 8, settings = USUAL): void {
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

  /** Adds an operand that is read; blocks of it are copied first where they are to be changed. */
  input(operand: Operand, isChanged = false): number {
    const { array, address, elementBytes, half } = operand;
    const index = this.#add(array, address, this.#rows.n, false, elementBytes, false, half);
    if (isChanged) this.#stageAnyway(this.#slots[index]!);
    return index;
  }

  /** Adds elements that are written block by block, and read; a period is for element-wise operations. */
  source(source: ElementSource): number {
    const index = this.#add(undefined, -1, this.#rows.n, false, this.#elementBytes, false);
    const slot = this.#slots[index]!;
    slot.source = source;
    slot.periodBytes = source.period * this.#elementBytes;
    return index;
  }

  /** Adds floats that are written, or added to what is there: as many as are read, or so many for each row. */
  output({ array, address, half }: Operand, perRow = this.#rows.n, isSum = false): number {
    const index = this.#add(array, address, perRow, true, this.#elementBytes, false, half);
    const slot = this.#slots[index]!;
    slot.isSum = isSum;
    if (isSum) this.#stageAnyway(slot);
    return index;
  }

  /** Adds memory for as many floats as the block at hand has elements: what one kernel leaves there another may read. */
  intermediate(): number {
    const index = this.#add(undefined, -1, this.#rows.n, true, this.#elementBytes, false);
    this.#slots[index]!.isTransposed = false;
    return index;
  }

  /** Adds int32 that are written, so many for each row. */
  integerOutput({ array, address }: IndexPlace, perRow: number): number {
    return this.#add(array, address, perRow, true, 4, true);
  }

  /** Adds a mask of all elements, which is read as bytes. */
  mask(array: IntegerArray): number {
    return this.#add(array, -1, this.#rows.n, false, 1, true);
  }

  /** Adds an operand with one element for each row that lies in linear memory. */
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
    // Floats that are narrowed on their way to an array take room for that too.
    slot.columnBytes = perRow * (half !== undefined && isOutput && address < 0 ? elementBytes + 2 : elementBytes);
    slot.periodBytes = 0;
    // One element for each row lies the same both ways.
    slot.isTransposed = this.#transposes && perRow > 1 && elementBytes === 4;
    if (address < 0 || slot.isTransposed) this.#stages = true;
    if (half !== undefined) this.#stageAnyway(slot);
    return this.#count++;
  }

  #stageAnyway(slot: Slot): void {
    slot.address = -1;
    this.#stages = true;
  }

  /** Memory for a small operand until the call ends. Reserved after `open` and before anything is read. */
  reserve(bytes: number): number {
    if (this.#reserved + bytes > OPERAND_SCRATCH) return this.#allocate(bytes);
    const address = this.#arena.operandScratch + this.#reserved;
    this.#reserved += alignUp(bytes);
    return address;
  }

  /** The operand's address in the block at hand. */
  at(index: number): number {
    return this.#slots[index]!.block;
  }

  /** The same of an operand that may not be there: 0 where it was not added (-1). */
  atOrZero(index: number): number {
    return index < 0 ? 0 : this.at(index);
  }

  /** Columns of the block at hand in memory, where kernels may see them as rows. */
  get width(): number {
    return this.#transposes ? this.#rows.inner : this.inner;
  }

  /** Number of the row that the block at hand begins with, in the order of [outer, inner]. */
  get first(): number {
    return this.#slice * this.#rows.inner + this.#firstColumn(this.#columnBlock);
  }

  /**
   * Plans the blocks and takes memory: it grows here or not at all. Where it cannot, results made for the call are freed
   * again.
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

  /** Gives every operand that is staged its place. */
  #stage({ slices, columnBlocks, width, bytes, isLarge }: Plan): void {
    this.#slices = slices;
    this.#columnBlocks = columnBlocks;
    let at = isLarge ? this.#allocate(bytes) : this.#arena.staging;
    for (let i = 0; i < this.#count; i++) {
      const slot = this.#slots[i]!;
      // Blocks of columns are compact, and what lies in linear memory is not.
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

  /** Stores the finished block and brings the next one; false when all is done. */
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
    // Rows of one element need no copy to have the axis last, so nothing may be staged: kernels see rows all the same.
    this.outer = this.#transposes ? outer * inner : outer;
    this.inner = this.#transposes ? 1 : inner;
    if (this.#stages) this.#copyIn();
    return true;
  }

  /** Brings what the kernel reads of the block at hand. */
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
      // A period that is written once is read from anywhere in it.
      else slot.start = periodBytes > 0 ? staging + ((this.#slice * elementBytes) % periodBytes) : staging;
      if (!slot.isTransposed) slot.block = slot.start;
      if (slot.isOutput) continue;
      if (slot.source !== undefined) this.#fill(slot, slot.source);
      else if (address < 0) this.#copy(slot);
      if (slot.isTransposed) this.#transpose!(slot.start, slot.block, this.outer / inner, slot.perRow, inner);
    }
  }

  /** Frees what was temporary and forgets the caller's arrays, which must not be kept alive. */
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
      // What lies nowhere else is memory between two kernels.
      if (slot.isStaged && (slot.array !== undefined || slot.home >= 0)) this.#copy(slot);
    }
  }

  /** Copies the block at hand between the caller's array and the staging memory. */
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

  /** Copies elements that lie side by side. */
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
