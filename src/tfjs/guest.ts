import { Arena, alignUp, type LinearMemory, MEMORY_LIMIT, SCRATCH_BYTES, STATIC_END } from '../memory/arena.js';
import { Runtime } from '../runtime.js';
import { checkModules, EmbeddedModules, openFirst } from '../wasm/backend.js';
import { SharedModules } from './shared-memory.js';

/** A module compiled by Emscripten, with its memory and allocator: the host whose memory our modules may share. */
export interface MemoryHost {
  readonly memory: WebAssembly.Memory;
  readonly malloc: (bytes: number) => number;
  readonly free: (address: number) => void;
}

/** An allocator with the alignment of arenas. */
class AlignedAllocator {
  readonly #host: MemoryHost;
  /** The host allocator's address of each block, by the aligned address inside the block. */
  readonly #given = new Map<number, number>();

  constructor(host: MemoryHost) {
    this.#host = host;
  }

  /** An address, or undefined if no memory is left. */
  allocate(bytes: number): number | undefined {
    // Addresses above 2 GiB are returned as negative numbers.
    const given = this.#host.malloc(bytes + alignUp(1)) >>> 0;
    if (given === 0) return undefined;
    const start = alignUp(given);
    this.#given.set(start, given);
    return start;
  }

  free(start: number): void {
    this.#host.free(this.#given.get(start)!);
    this.#given.delete(start);
  }
}

/** An arena in the memory of another module, made of blocks from that module's allocator. */
class GuestArena extends Arena {
  readonly #memory: WebAssembly.Memory;
  readonly #isShared: boolean;
  readonly #allocator: AlignedAllocator;

  constructor(memory: WebAssembly.Memory, allocator: AlignedAllocator, scratch: number) {
    super(memory as LinearMemory, MEMORY_LIMIT, scratch);
    this.#memory = memory;
    this.#isShared = isShared(memory);
    this.#allocator = allocator;
  }

  /** Renews the views if the other module has made the memory grow. */
  follow(): void {
    // Growth detaches the old buffer, and a length of 0 is quicker to read than `memory.buffer`. The buffer of a memory
    // that threads share is never detached.
    const isStale = this.#isShared ? this.#memory.buffer !== this.buffer : this.u8.length === 0;
    if (isStale) this.refresh();
  }

  protected override take(size: number, operation: string): number {
    const start = this.#allocator.allocate(size);
    if (start === undefined) throw this.exhausted(size, operation);
    this.follow();
    return start;
  }

  protected override give(start: number): void {
    this.#allocator.free(start);
  }
}

/** A runtime in the memory of another module. */
export interface Guest {
  readonly runtime: Runtime;
  readonly arena: GuestArena;
}

/** One runtime for each memory, which holds our constants from then on. */
const guests = new WeakMap<WebAssembly.Memory, Guest>();

/** @throws Error if our modules cannot run in that memory */
export function guestOf(host: MemoryHost): Guest {
  let guest = guests.get(host.memory);
  if (guest === undefined) {
    guest = moveIn(host);
    guests.set(host.memory, guest);
  }
  return guest;
}

function moveIn(host: MemoryHost): Guest {
  const { memory } = host;
  const bytes = new Uint8Array(memory.buffer, 0, STATIC_END);
  if (bytes.some((byte) => byte !== 0)) throw new Error('the bytes that our constants would take are in use');
  const Modules = isShared(memory) ? SharedModules : EmbeddedModules;
  const backend = openFirst('register', 'auto', (name) => {
    if (name === 'reference') throw new Error('it needs no memory of others');
    const modules = new Modules(name, memory);
    checkModules(name, modules);
    return { modules, memory: memory as LinearMemory };
  });
  const allocator = new AlignedAllocator(host);
  const scratch = allocator.allocate(SCRATCH_BYTES);
  if (scratch === undefined) throw new Error('there is no memory left');
  const arena = new GuestArena(memory, allocator, scratch);
  return { runtime: new Runtime(backend, arena, true), arena };
}

function isShared({ buffer }: WebAssembly.Memory): boolean {
  return Object.prototype.toString.call(buffer) === '[object SharedArrayBuffer]';
}
