import { bitsOf, type FloatArray, type Half } from '../arrays.js';
import { narrow, widen } from '../half.js';
import type { Arena } from '../memory/arena.js';

/** Converts `count` floats at address x to address y, from the first to the last. */
type Convert = (x: number, y: number, count: number) => void;

/** The kernels that convert; on the reference backend there are none, and it is done here. */
export interface HalfKernels {
  readonly widenFloat16: Convert;
  readonly narrowFloat16: Convert;
  readonly widenBfloat16: Convert;
  readonly narrowBfloat16: Convert;
}

/** Where 16-bit floats are stored: at the address `home` of linear memory or, if that is -1, in an array. */
interface Stored {
  readonly half: Half | undefined;
  readonly array: unknown;
  readonly home: number;
}

/** Copies between stored 16-bit floats and float32 in linear memory. */
export class Halves {
  readonly #arena: Arena;
  readonly #kernels: HalfKernels | undefined;

  constructor(arena: Arena, kernels: HalfKernels | undefined) {
    this.#arena = arena;
    this.#kernels = kernels;
  }

  /** Copies count elements from `start` on to an address. */
  load({ half, array, home }: Stored, start: number, to: number, count: number): void {
    if (home >= 0) {
      this.#widen(half!, home + 2 * start, to, count);
      return;
    }
    // The bits go into the upper half of the destination, so that widening from the first to the last needs no other
    // memory.
    const from = to + 2 * count;
    this.#at(from, count).set(bitsOf(array as FloatArray, start, count));
    this.#widen(half!, from, to, count);
  }

  /** Copies count elements at an address to where they are stored; those of an array by way of the address `via`. */
  store({ half, array, home }: Stored, start: number, from: number, via: number, count: number): void {
    if (home >= 0) {
      this.#narrow(half!, from, home + 2 * start, count);
      return;
    }
    this.#narrow(half!, from, via, count);
    bitsOf(array as FloatArray, start, count).set(this.#at(via, count));
  }

  /** Adds count elements at an address to those that are stored. */
  add({ half, array, home }: Stored, start: number, from: number, count: number): void {
    const stored = home < 0 ? bitsOf(array as FloatArray, start, count) : this.#at(home + 2 * start, count);
    const { f32 } = this.#arena;
    for (let i = 0; i < count; i++) {
      stored[i] = narrow(half!, Math.fround(widen(half!, stored[i]!) + f32[from / 4 + i]!));
    }
  }

  #at(address: number, count: number): Uint16Array {
    return new Uint16Array(this.#arena.buffer, address, count);
  }

  #widen(half: Half, x: number, y: number, count: number): void {
    if (this.#kernels !== undefined) {
      this.#kernels[half === 'float16' ? 'widenFloat16' : 'widenBfloat16'](x, y, count);
      return;
    }
    const { f32 } = this.#arena;
    const from = this.#at(x, count);
    for (let i = 0; i < count; i++) f32[y / 4 + i] = widen(half, from[i]!);
  }

  #narrow(half: Half, x: number, y: number, count: number): void {
    if (this.#kernels !== undefined) {
      this.#kernels[half === 'float16' ? 'narrowFloat16' : 'narrowBfloat16'](x, y, count);
      return;
    }
    const { f32 } = this.#arena;
    const to = this.#at(y, count);
    for (let i = 0; i < count; i++) to[i] = narrow(half, f32[x / 4 + i]!);
  }
}
