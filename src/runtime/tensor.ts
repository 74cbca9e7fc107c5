// The type of `using` declarations, for those who compile without it.
/// <reference lib="esnext.disposable" preserve="true" />
import type { Runtime } from './runtime.js';
import type { Dtype, FloatArray } from './types.js';

/** Keeps a tensor from being reclaimed while a view of its data is held. */
const owners = new WeakMap<FloatArray, Tensor>();

/**
 * Numbers that live in the library's linear memory: calls on tensors copy nothing. Made by {@link tensor},
 * {@link zeros} and by every operation that is given one. `dispose` frees the memory at once; a tensor that is
 * forgotten is reclaimed some time after, where the engine has FinalizationRegistry.
 *
 * @example
 * const x = tensor([1, 2, 3, 4], [2, 2]);
 * const y = softmax(x);
 * y.toArray(); // Float32Array [0.269, 0.731, 0.269, 0.731]
 * x.dispose();
 * y.dispose();
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the class has [Symbol.dispose] only where the engine does.
export class Tensor {
  readonly shape: readonly number[];
  readonly dtype: Dtype;
  /** Number of elements. */
  readonly size: number;
  /** @internal */
  readonly runtime: Runtime;
  #address: number;
  #view: FloatArray | undefined;

  /** @internal */
  constructor(runtime: Runtime, address: number, shape: readonly number[], size: number, dtype: Dtype) {
    this.runtime = runtime;
    this.#address = address;
    this.shape = shape;
    this.size = size;
    this.dtype = dtype;
  }

  /** @internal Whether this is a tensor, from whichever realm's prototype chain. */
  static is(value: unknown): value is Tensor {
    return typeof value === 'object' && value !== null && #address in value;
  }

  /** @internal */
  get elementBytes(): 4 | 8 {
    return this.dtype === 'float32' ? 4 : 8;
  }

  get disposed(): boolean {
    return this.#address < 0;
  }

  /** @internal The address of the first element. */
  address(operation: string, argument: string): number {
    if (this.#address < 0)
      throw new TypeError(`${operation}: ${argument} is disposed, expected a tensor that is alive`);
    return this.#address;
  }

  /**
   * A live view of the elements: borrowed, not a copy. It has length 0 once the memory has grown (read `data` again)
   * and must not be used after `dispose`. Holding it keeps the tensor; holding a subarray of it does not.
   * @throws TypeError when the tensor is disposed.
   */
  get data(): FloatArray {
    const address = this.address('Tensor', 'the tensor');
    const buffer = this.runtime.arena.buffer;
    if (this.#view === undefined || this.#view.buffer !== buffer) {
      const Type = this.dtype === 'float32' ? Float32Array : Float64Array;
      this.#view = new Type(buffer, address, this.size);
      owners.set(this.#view, this);
    }
    return this.#view;
  }

  /** A copy of the elements. @throws TypeError when the tensor is disposed. */
  toArray(): FloatArray {
    return this.data.slice();
  }

  /**
   * Copies the elements into an array of the same dtype and length, and returns it.
   * @throws TypeError for another dtype or a disposed tensor, RangeError for another length.
   */
  copyTo<A extends FloatArray>(array: A): A {
    this.runtime.checkOut('Tensor.copyTo', 'array', array, this.dtype, this.size);
    array.set(this.data);
    return array;
  }

  /** Frees the memory at once; doing it twice is harmless. */
  dispose(): void {
    if (this.#address < 0) return;
    this.runtime.release(this, this.#address);
    this.#address = -1;
    this.#view = undefined;
  }
}

export interface Tensor extends Disposable {}

// Symbol.dispose exists from Node 20 and in new browsers only; `using` needs it, nothing else does.
if (typeof Symbol.dispose === 'symbol') Tensor.prototype[Symbol.dispose] = Tensor.prototype.dispose;
