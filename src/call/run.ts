import { countOf, viewOf, write } from '../arrays.js';
import {
  type Arena,
  alignUp,
  HEADER_SCRATCH,
  KERNEL_SCRATCH,
  OPERAND_SCRATCH,
  STREAM_SCRATCH,
  TILE_ROW,
} from '../memory/arena.js';
import type { FloatArray } from '../types.js';
import type { Broadcast } from './broadcast.js';
import { copyMask, type MaskArray } from './mask.js';
import type { Operand } from './operand.js';
import type { IndexPlace } from './result.js';

type Heap = FloatArray | Int32Array | Uint8Array;
type Numbers = FloatArray | Int32Array | MaskArray;

/** An operand of the call in progress. */
interface Slot {
  /** Where the elements are when not in linear memory. */
  array: Numbers | undefined;
  /** What the elements are written from, block by block, when they are those of a broadcast. */
  broadcast: Broadcast | undefined;
  /** Where the whole operand lies in linear memory, -1 when it is streamed. */
  home: number;
  /** Elements of the operand that belong to a problem: all n, one, or another number. */
  perProblem: number;
  isOutput: boolean;
  isInteger: boolean;
  elementBytes: number;
  /** Scratch for a block of the operand as it lies at home. */
  block: number;
  /** Scratch for the block with the axis moved to the end. */
  turned: number;
}

const LIST = 8;
/** Narrowest tile of columns, in elements: whole cache lines. */
const MINIMUM_TILE = 16;
/** Up to here a loop copies faster than TypedArray.set. */
const SHORT_COPY = 16;

/** Moves the last axis but one of [outer, n, inner] to the end. */
export type Transpose = (x: number, y: number, outer: number, n: number, inner: number) => void;

/**
 * Runs a kernel over its operands block by block. Operands in linear memory are used where they lie; typed arrays
 * elsewhere go through a scratch of fixed size, whole problems at a time: some outer slices of [outer, n, inner], or,
 * where one slice is too large, a tile of its columns. A short inner axis (1 < inner < lanes) is moved in front of
 * the others on the way, so that kernels see rows.
 *
 * An element-wise operation has its elements for problems, n = inner = 1, in blocks of whole granules: sums over
 * granules then do not depend on the blocks.
 *
 * There is one stream for each runtime and none of the caller's code runs while it is open, so it is simply reused:
 *
 *     stream.open('softmax', outer, n, inner, bytes);
 *     const x = stream.input(operand), y = stream.output(result);
 *     stream.start();
 *     while (stream.next()) kernel(stream.at(x), stream.at(y), stream.outer, n, stream.inner, …, stream.scratch);
 */
export class Stream {
  /** Sizes of the block at hand, as the kernel sees them. */
  outer = 0;
  inner = 0;
  /** What the kernel may use for itself. */
  scratch = 0;

  readonly #arena: Arena;
  readonly #transpose: Transpose | undefined;
  readonly #slots: Slot[] = [];
  #count = 0;
  #operation = '';
  #totalOuter = 0;
  #n = 0;
  #totalInner = 0;
  #elementBytes: 4 | 8 = 4;
  #turns = false;
  /** Outer slices in a block, and tiles that a slice's columns are cut into where one slice is too large. */
  #slices = 1;
  #tiles = 1;
  /** Where the block at hand begins: an outer slice, and a tile of it. */
  #slice = 0;
  #tile = 0;
  #started = false;
  /** Tiles a kernel gathers at a time: one for each operand it holds. */
  #gathered = 1;
  /** Blocks begin at multiples of so many outer slices. */
  #granule = 1;
  /** Bytes of the operand scratch that are taken. */
  #claimed = 0;
  /** Blocks of the arena that end with the call. */
  readonly #borrowed: number[] = [];

  constructor(arena: Arena, transpose: Transpose | undefined) {
    this.#arena = arena;
    this.#transpose = transpose;
    for (let i = 0; i < LIST; i++) {
      this.#slots.push({
        array: undefined,
        broadcast: undefined,
        home: -1,
        perProblem: 1,
        isOutput: false,
        isInteger: false,
        elementBytes: 4,
        block: 0,
        turned: 0,
      });
    }
  }

  open(
    operation: string,
    outer: number,
    n: number,
    inner: number,
    elementBytes: 4 | 8,
    gathered = 1,
    granule = 1,
    turns = true,
  ): void {
    this.#release();
    this.#claimed = 0;
    this.#gathered = gathered;
    this.#granule = granule;
    this.#operation = operation;
    this.#totalOuter = outer;
    this.#n = n;
    this.#totalInner = inner;
    this.#elementBytes = elementBytes;
    this.#turns = turns && this.#transpose !== undefined && inner > 1 && inner < 16 / elementBytes;
    this.#count = 0;
    this.#started = false;
  }

  /** Adds an operand that is read. */
  input(operand: Operand): number {
    return this.#add(operand.array, operand.address, this.#n, false, operand.elementBytes, false);
  }

  /** Adds the elements of a broadcast, which are read; for element-wise operations. */
  broadcast(broadcast: Broadcast): number {
    const index = this.#add(undefined, -1, this.#n, false, this.#elementBytes, false);
    this.#slots[index]!.broadcast = broadcast;
    return index;
  }

  /** Adds floats that are written: an element for an element, or so many for each problem. */
  output({ array, address }: Operand, perProblem = this.#n): number {
    return this.#add(array, address, perProblem, true, this.#elementBytes, false);
  }

  /** Adds int32 that are written, so many for each problem. */
  integerOutput({ array, address }: IndexPlace, perProblem: number): number {
    return this.#add(array, address, perProblem, true, 4, true);
  }

  /** Adds a mask of all elements, which is read as bytes. */
  mask(array: MaskArray): number {
    return this.#add(array, -1, this.#n, false, 1, true);
  }

  /** Adds an operand with one element for each problem that lies in linear memory. */
  rows(address: number, elementBytes: number): number {
    return this.#add(undefined, address, 1, false, elementBytes, false);
  }

  /** Memory for a small operand until the call ends. Claimed after `open` and before anything is read. */
  claim(bytes: number): number {
    if (this.#claimed + bytes > OPERAND_SCRATCH) return this.#borrow(bytes);
    const address = this.#arena.operandScratch + this.#claimed;
    this.#claimed += alignUp(bytes);
    return address;
  }

  /** The operand's address in the block at hand. */
  at(index: number): number {
    const slot = this.#slots[index]!;
    if (this.#isTurned(slot)) return slot.turned;
    if (slot.broadcast !== undefined) return slot.block + this.#phaseOf(slot.broadcast) * slot.elementBytes;
    return slot.home < 0 ? slot.block : this.#homeOf(slot);
  }

  /** Number of the problem that the block at hand begins with, in the order of [outer, inner]. */
  get first(): number {
    return this.#slice * this.#totalInner + this.#tileStart();
  }

  /** A period that is written once, for all blocks, is read from where a block begins in it. */
  #phaseOf({ period }: Broadcast): number {
    return period > 0 ? this.#slice % period : 0;
  }

  #add(
    array: Numbers | undefined,
    home: number,
    perProblem: number,
    isOutput: boolean,
    elementBytes: number,
    isInteger: boolean,
  ): number {
    const slot = this.#slots[this.#count]!;
    slot.array = array;
    slot.broadcast = undefined;
    slot.home = home;
    slot.perProblem = perProblem;
    slot.isOutput = isOutput;
    slot.isInteger = isInteger;
    slot.elementBytes = elementBytes;
    return this.#count++;
  }

  /**
   * Plans the blocks and claims scratch: memory grows here or not at all. Where it cannot, results made for the call
   * are freed again.
   */
  start(made?: Operand, alsoMade?: Operand): void {
    try {
      this.#plan();
    } catch (error) {
      this.#finish();
      made?.tensor?.dispose();
      alsoMade?.tensor?.dispose();
      throw error;
    }
  }

  #plan(): void {
    this.#slice = 0;
    this.#tile = 0;
    this.#claimKernelScratch();
    const sliceBytes = this.#sliceBytes();
    if (sliceBytes === 0) {
      this.#slices = Math.max(this.#totalOuter, 1);
      this.#tiles = 1;
      return;
    }
    const room = STREAM_SCRATCH - 2 * LIST * 64 - this.#periodBytes();
    const granules = Math.floor(room / sliceBytes / this.#granule);
    this.#slices = Math.min(granules * this.#granule, Math.max(this.#totalOuter, 1));
    this.#tiles = 1;
    if (this.#slices === 0) this.#planLargeSlices(sliceBytes, room);
    else this.#place(this.#arena.streamScratch, this.#slices, this.#totalInner);
  }

  /** A slice does not fit: tiles of its columns, or for single rows a scratch as large as one. */
  #planLargeSlices(sliceBytes: number, room: number): void {
    const inner = this.#totalInner;
    this.#slices = 1;
    if (inner < 2 * MINIMUM_TILE) {
      this.#place(this.#borrow(sliceBytes + 2 * LIST * 64), 1, inner);
      return;
    }
    const columnBytes = this.#tiledColumnBytes();
    const width = Math.max(Math.floor(room / columnBytes), MINIMUM_TILE);
    this.#tiles = Math.ceil(inner / width);
    const widest = Math.ceil(inner / this.#tiles);
    const bytes = columnBytes * widest;
    const start = bytes <= room ? this.#arena.streamScratch : this.#borrow(bytes + 2 * LIST * 64);
    this.#moveHome();
    this.#place(start, 1, widest);
  }

  /** Bytes that a column of a tile takes. */
  #tiledColumnBytes(): number {
    let bytes = 0;
    for (let i = 0; i < this.#count; i++) {
      const slot = this.#slots[i]!;
      if (slot.home < 0 || slot.perProblem > 1) bytes += this.#columnBytes(slot);
    }
    return bytes;
  }

  /** A tile is compact, an operand in linear memory is not: it is streamed like the others. */
  #moveHome(): void {
    for (let i = 0; i < this.#count; i++) {
      const slot = this.#slots[i]!;
      if (slot.home < 0 || slot.perProblem === 1) continue;
      const start = slot.home / slot.elementBytes;
      const length = this.#totalOuter * slot.perProblem * this.#totalInner;
      slot.array = this.#heapOf(slot).subarray(start, start + length);
      slot.home = -1;
    }
  }

  /** Bytes that periods take beside the blocks they repeat in. */
  #periodBytes(): number {
    let bytes = 0;
    for (let i = 0; i < this.#count; i++) bytes += this.#periodOf(this.#slots[i]!) * this.#elementBytes;
    return bytes;
  }

  #periodOf(slot: Slot): number {
    return slot.broadcast === undefined ? 0 : slot.broadcast.period;
  }

  /** Bytes of scratch that an outer slice takes. */
  #sliceBytes(): number {
    let bytes = 0;
    for (let i = 0; i < this.#count; i++) {
      const slot = this.#slots[i]!;
      if (slot.home < 0) bytes += this.#columnBytes(slot) * this.#totalInner;
      if (this.#isTurned(slot)) bytes += this.#columnBytes(slot) * this.#totalInner;
    }
    return bytes;
  }

  /** Whether the kernel sees the operand with the axis moved: one element for each problem lies the same both ways. */
  #isTurned(slot: Slot): boolean {
    return this.#turns && slot.perProblem > 1;
  }

  #heapOf(slot: Slot): Heap {
    if (!slot.isInteger) return this.#arena.floats(slot.elementBytes);
    return slot.elementBytes === 1 ? this.#arena.u8 : this.#arena.i32;
  }

  #columnBytes(slot: Slot): number {
    return slot.perProblem * slot.elementBytes;
  }

  /** Gives every operand its place in the scratch. */
  #place(start: number, slices: number, inner: number): void {
    let at = start;
    for (let i = 0; i < this.#count; i++) {
      const slot = this.#slots[i]!;
      const bytes = alignUp(this.#columnBytes(slot) * slices * inner + this.#periodOf(slot) * slot.elementBytes);
      if (slot.home < 0) {
        slot.block = at;
        at += bytes;
      }
      if (this.#isTurned(slot)) {
        slot.turned = at;
        at += bytes;
      }
    }
  }

  #claimKernelScratch(): void {
    const bytes = HEADER_SCRATCH + (this.#totalInner > 1 && !this.#turns ? this.#n * TILE_ROW * this.#gathered : 0);
    this.scratch = bytes <= KERNEL_SCRATCH ? this.#arena.kernelScratch : this.#borrow(bytes);
  }

  #borrow(bytes: number): number {
    const start = this.#arena.allocate(bytes, this.#operation);
    this.#borrowed.push(start);
    return start;
  }

  #release(): void {
    while (this.#borrowed.length > 0) this.#arena.free(this.#borrowed.pop()!);
  }

  /** Hands the finished block back and brings the next one; false when all is done. */
  next(): boolean {
    if (this.#started) {
      this.#copyOut();
      if (this.#tiles > 1 && this.#tile + 1 < this.#tiles) this.#tile++;
      else {
        this.#tile = 0;
        this.#slice += this.#slices;
      }
    }
    this.#started = true;
    if (this.#slice >= this.#totalOuter || this.#totalInner === 0) {
      this.#finish();
      return false;
    }
    const slices = Math.min(this.#slices, this.#totalOuter - this.#slice);
    const inner = this.#tileEnd() - this.#tileStart();
    this.outer = this.#turns ? slices * inner : slices;
    this.inner = this.#turns ? 1 : inner;
    this.#copyIn();
    return true;
  }

  /** Frees what was borrowed and forgets the caller's arrays, which must not be kept alive. */
  #finish(): void {
    this.#release();
    for (let i = 0; i < this.#count; i++) {
      this.#slots[i]!.array = undefined;
      this.#slots[i]!.broadcast = undefined;
    }
  }

  #tileStart(): number {
    return Math.floor((this.#tile * this.#totalInner) / this.#tiles);
  }

  #tileEnd(): number {
    return Math.floor(((this.#tile + 1) * this.#totalInner) / this.#tiles);
  }

  /** Address of the block at hand in an operand that lies in linear memory as a whole. */
  #homeOf(slot: Slot): number {
    return slot.home + this.#columnBytes(slot) * this.#totalInner * this.#slice + this.#tileStart() * slot.elementBytes;
  }

  #copyIn(): void {
    for (let i = 0; i < this.#count; i++) {
      const slot = this.#slots[i]!;
      if (slot.isOutput) continue;
      if (slot.broadcast !== undefined) this.#broadcast(slot, slot.broadcast);
      else if (slot.home < 0) this.#copy(slot);
      if (this.#isTurned(slot)) {
        const from = slot.home < 0 ? slot.block : this.#homeOf(slot);
        this.#transpose!(from, slot.turned, this.outer / this.#totalInner, slot.perProblem, this.#totalInner);
      }
    }
  }

  #broadcast(slot: Slot, broadcast: Broadcast): void {
    const heap = this.#arena.floats(slot.elementBytes);
    const at = slot.block / slot.elementBytes;
    const { period } = broadcast;
    if (period === 0) broadcast.fill(this.#arena, heap, at, this.#slice, this.outer);
    else if (this.#slice === 0) broadcast.fill(this.#arena, heap, at, 0, this.outer + period);
  }

  #copyOut(): void {
    for (let i = 0; i < this.#count; i++) {
      const slot = this.#slots[i]!;
      if (!slot.isOutput) continue;
      if (this.#isTurned(slot)) {
        const to = slot.home < 0 ? slot.block : this.#homeOf(slot);
        this.#transpose!(slot.turned, to, this.outer / this.#totalInner, this.#totalInner, slot.perProblem);
      }
      if (slot.home < 0) this.#copy(slot);
    }
  }

  /** Copies the block at hand between the caller's array and the scratch. */
  #copy(slot: Slot): void {
    const heap = this.#heapOf(slot);
    const array = slot.array!;
    const { perProblem } = slot;
    const block = slot.block / slot.elementBytes;
    if (this.#tiles === 1) {
      const start = perProblem * this.#totalInner * this.#slice;
      const slices = this.#turns ? this.outer / this.#totalInner : this.outer;
      copyRange(array, start, heap, block, perProblem * this.#totalInner * slices, slot.isOutput);
      return;
    }
    const width = this.inner;
    for (let j = 0; j < perProblem; j++) {
      const start = (this.#slice * perProblem + j) * this.#totalInner + this.#tileStart();
      copyRange(array, start, heap, block + j * width, width, slot.isOutput);
    }
  }
}

/** Copies count elements into the heap, or out of it. */
function copyRange(array: Numbers, start: number, heap: Heap, at: number, count: number, isOutput: boolean): void {
  if (heap.BYTES_PER_ELEMENT === 1) copyMask(array as MaskArray, start, count, heap as Uint8Array, at);
  else copyNumbers(array as FloatArray | Int32Array, start, heap, at, count, isOutput);
}

function copyNumbers(
  array: FloatArray | Int32Array,
  start: number,
  heap: Heap,
  at: number,
  count: number,
  isOutput: boolean,
): void {
  if (count <= SHORT_COPY) {
    if (isOutput) for (let i = 0; i < count; i++) array[start + i] = heap[at + i]!;
    else for (let i = 0; i < count; i++) heap[at + i] = array[start + i]!;
  } else if (isOutput) {
    write(array, heap.subarray(at, at + count), start);
  } else {
    heap.set(count === countOf(array) ? array : viewOf(array, start, count), at);
  }
}
