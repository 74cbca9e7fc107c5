import type { WideArray } from '../arrays.js';
import { OutOfMemoryError } from '../errors.js';
import { HEADER_BYTES, LINE_BYTES, ROW_LINES } from '../generated/layout.js';

/** The part of WebAssembly.Memory that an arena uses. */
export interface LinearMemory {
  readonly buffer: ArrayBuffer;
  /** `isLent` says whether a caller may hold a view of the buffer: WebAssembly.Memory does not ask. */
  grow(pages: number, isLent: boolean): unknown;
}

const PAGE = 65536;
const ALIGNMENT = 64;
/** The constants of the modules lie below this address, where scripts/build-wasm.mjs puts them. */
export const STATIC_END = 1024;
/** Bytes a kernel may use for itself in every call: a transposed block of rows of up to ROW_LINES elements fits. */
export const KERNEL_SCRATCH = HEADER_BYTES + ROW_LINES * LINE_BYTES;
/** Bytes for the small operands of a call: class indices, weights. */
export const OPERAND_SCRATCH = PAGE / 2;
/** Bytes through which typed arrays are staged: an input and an output block that both fit into a core's L2 cache. */
export const STAGING_BYTES = 4 * PAGE;
/** Bytes that an arena needs before it has any block. */
export const SCRATCH_BYTES = KERNEL_SCRATCH + OPERAND_SCRATCH + STAGING_BYTES;
/**
 * Pages that a memory of ours begins with: what an arena needs without any block. Growing would detach a buffer, and
 * after the first detached buffer V8 checks every access to any typed array of the program for detachment: all loops
 * over them get slower.
 */
export const INITIAL_PAGES = Math.ceil((STATIC_END + SCRATCH_BYTES) / PAGE);
/** The most bytes that 32-bit addresses reach, in whole pages below 4 GiB. */
export const MEMORY_LIMIT = 65535 * PAGE;

export function alignUp(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

/** The state of an arena at some time: its buffer, and the number of allocations and frees so far. */
export interface Moment {
  readonly buffer: ArrayBuffer;
  readonly time: number;
}

/**
 * The owner of a linear memory: [static data | kernel scratch | operand scratch | staging memory | blocks …]. Blocks
 * are aligned to 64 bytes and allocated first fit, and neighbours merge when freed. All bookkeeping is in JavaScript,
 * none of it in linear memory.
 */
export class Arena {
  /** Views of the whole memory, renewed whenever it grows. */
  f32!: Float32Array;
  f64!: Float64Array;
  i32!: Int32Array;
  u8!: Uint8Array;
  /**
   * The present state: the same object until the next allocation or free. A field and not a getter, because short calls
   * read it.
   */
  moment!: Moment;
  readonly kernelScratch: number;
  readonly operandScratch: number;
  readonly staging: number;
  readonly #memory: LinearMemory;
  /** The most bytes that the memory may have. */
  readonly limit: number;
  /** Free blocks in the order of their addresses; no two are adjacent. */
  readonly #free: { start: number; end: number }[] = [];
  /** Allocated blocks by address, each with its size and the time of its allocation. */
  readonly #blocks = new Map<number, { size: number; time: number }>();
  #end: number;
  /** Whether a caller may hold a view of the buffer. */
  isLent = false;

  constructor(memory: LinearMemory, limit: number, scratch = STATIC_END) {
    this.#memory = memory;
    this.limit = limit;
    this.kernelScratch = scratch;
    this.operandScratch = scratch + KERNEL_SCRATCH;
    this.staging = this.operandScratch + OPERAND_SCRATCH;
    this.#end = scratch + SCRATCH_BYTES;
    this.#grow(this.#end, 'init');
    this.refresh();
  }

  /** The memory's buffer, without reading WebAssembly.Memory.buffer, which is slow. Only `refresh` changes it. */
  get buffer(): ArrayBuffer {
    return this.moment.buffer;
  }

  /** The view of the whole memory whose elements have this many bytes. */
  floats(bytes: number): WideArray {
    return bytes === 4 ? this.f32 : this.f64;
  }

  /** The address of a new block. The memory may grow: views taken before are then detached. */
  allocate(bytes: number, operation: string): number {
    const size = Math.max(alignUp(bytes), ALIGNMENT);
    const start = this.take(size, operation);
    this.#tick();
    this.#blocks.set(start, { size, time: this.moment.time });
    return start;
  }

  /** Bytes of the block at this address. */
  sizeOf(start: number): number {
    return this.#blocks.get(start)?.size ?? 0;
  }

  free(start: number): void {
    const block = this.#blocks.get(start);
    if (block === undefined) return;
    this.#blocks.delete(start);
    this.#tick();
    this.give(start, start + block.size);
  }

  /** Counts an allocation or a free. */
  #tick(): void {
    this.moment = { buffer: this.buffer, time: this.moment.time + 1 };
  }

  /** Takes this many free bytes, and returns their address. */
  protected take(size: number, operation: string): number {
    return this.#takeFree(size) ?? this.#extend(size, operation);
  }

  /** Makes these bytes free again. */
  protected give(start: number, end: number): void {
    const at = this.#position(start);
    const before = this.#free[at - 1];
    const after = this.#free[at];
    const joinsBefore = before !== undefined && before.end === start;
    const joinsAfter = after !== undefined && after.start === end;
    if (joinsBefore && joinsAfter) {
      before.end = after.end;
      this.#free.splice(at, 1);
    } else if (joinsBefore) before.end = end;
    else if (joinsAfter) after.start = start;
    else this.#free.splice(at, 0, { start, end });
  }

  /**
   * Whether any of these bytes has been freed since that moment: it is free now, or belongs to a block allocated later.
   */
  hasFreed(start: number, bytes: number, { time }: Moment): boolean {
    const isIn = (from: number, to: number) => from < start + bytes && to > start;
    if (this.#free.some((block) => isIn(block.start, block.end))) return true;
    for (const [from, block] of this.#blocks) {
      if (block.time > time && isIn(from, from + block.size)) return true;
    }
    return false;
  }

  /** The index of the first free block at or behind this address. */
  #position(start: number): number {
    let low = 0;
    let high = this.#free.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#free[middle]!.start < start) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #takeFree(size: number): number | undefined {
    const at = this.#free.findIndex((block) => block.end - block.start >= size);
    if (at < 0) return undefined;
    const block = this.#free[at]!;
    const start = block.start;
    block.start += size;
    if (block.start === block.end) this.#free.splice(at, 1);
    return start;
  }

  /** Extends the used memory by a block, which begins with the last free block if that reaches to the end. */
  #extend(size: number, operation: string): number {
    const last = this.#free.at(-1);
    const touches = last !== undefined && last.end === this.#end;
    const start = touches ? last.start : this.#end;
    this.#grow(start + size, operation);
    if (touches) this.#free.pop();
    this.#end = start + size;
    return start;
  }

  #grow(end: number, operation: string): void {
    const size = this.#memory.buffer.byteLength;
    if (end <= size) return;
    this.checkLimit(end, operation);
    // At least by a quarter, so that many small tensors do not grow the memory many times.
    const wanted = Math.min(Math.max(end, size * 1.25), this.#most);
    if (!this.#tryGrow(wanted) && !this.#tryGrow(end)) throw this.exhausted(end, operation);
    this.isLent = false;
    this.refresh();
  }

  /** @throws OutOfMemoryError for more bytes than memory can ever have. */
  checkLimit(bytes: number, operation: string): void {
    if (bytes > this.#most) throw this.exhausted(bytes, operation);
  }

  /** The limit in whole pages. */
  get #most(): number {
    return Math.floor(this.limit / PAGE) * PAGE;
  }

  protected exhausted(bytes: number, operation: string): OutOfMemoryError {
    return new OutOfMemoryError(`${operation}: ${bytes} bytes of linear memory are needed, the limit is ${this.limit}`);
  }

  #tryGrow(end: number): boolean {
    try {
      this.#memory.grow(Math.ceil((end - this.#memory.buffer.byteLength) / PAGE), this.isLent);
      return true;
    } catch {
      return false;
    }
  }

  /** Renews the views. */
  protected refresh(): void {
    const buffer = this.#memory.buffer;
    this.moment = { buffer, time: this.moment?.time ?? 0 };
    this.f32 = new Float32Array(buffer);
    this.f64 = new Float64Array(buffer);
    this.i32 = new Int32Array(buffer);
    this.u8 = new Uint8Array(buffer);
  }
}

/**
 * Bytes that the reference backend's memory begins with. Its kernels are JavaScript loops, which a detached buffer
 * slows to half their speed (see INITIAL_PAGES), so it should not have to grow. Pages that are never written take
 * address space only.
 */
const REFERENCE_BYTES = 2 ** 22;

/** Linear memory of the reference backend. Unlike WebAssembly.Memory, it can grow without detaching a buffer. */
export class PlainMemory implements LinearMemory {
  buffer: ArrayBuffer;

  constructor(limit: number) {
    this.buffer = new ArrayBuffer(Math.min(REFERENCE_BYTES, limit) & -PAGE);
  }

  grow(pages: number, isLent: boolean): void {
    const old = this.buffer;
    this.buffer = new ArrayBuffer(old.byteLength + pages * PAGE);
    new Uint8Array(this.buffer).set(new Uint8Array(old));
    // A view that a caller may hold has to be detached: it no longer shows the elements.
    if (isLent) globalThis.structuredClone?.(old, { transfer: [old] });
  }
}
