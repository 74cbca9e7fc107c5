// The type of `using` declarations, for those who compile without it.
/// <reference lib="esnext.disposable" preserve="true" />
import {
  arrayOf,
  bufferOf,
  checkAttached,
  copyOf,
  countOf,
  type Dtype,
  type FloatArray,
  HALF_TAG,
  typedArrayTag,
  write,
} from '../arrays.js';
import { countError, typeError } from '../errors.js';
import { widen } from '../half.js';
import type { Arena } from './arena.js';

/** What a tensor belongs to: the runtime of a set of kernels. */
export interface TensorOwner {
  readonly arena: Arena;
  /** Frees what a disposed tensor held. */
  release(tensor: Tensor, address: number): void;
}

/** The type of the array that a tensor's elements are in. */
const TAGS: Readonly<Record<Dtype, string>> = { float16: HALF_TAG, float32: 'Float32Array', float64: 'Float64Array' };

/** Keeps a tensor from being reclaimed while a view of its data is held. */
const owners = new WeakMap<FloatArray, Tensor>();

/**
 * What a tensor is, whatever properties it may have been given. None of it can be reached by the caller: a runtime could
 * do anything to the memory, and kernels go by the sizes.
 */
export interface TensorStorage {
  readonly owner: TensorOwner;
  /** Where the first element is, -1 when the tensor is disposed. */
  address: number;
  readonly shape: readonly number[];
  /** Number of elements. */
  readonly size: number;
  readonly dtype: Dtype;
  /** Bytes of an element as kernels take it. */
  readonly elementBytes: 4 | 8;
}

/** The storage of a tensor, from whichever realm's prototype chain; undefined for anything else. */
export let storageOf: (value: unknown) => TensorStorage | undefined;

/** The same of an object that is no typed array. */
export let storageIn: (value: object) => TensorStorage | undefined;

/** @throws TypeError when the tensor is disposed */
export function checkAlive(operation: string, argument: string, { address }: TensorStorage): void {
  if (address < 0) throw new TypeError(`${operation}: ${argument} is disposed, expected a tensor that is alive`);
}

/** A new tensor. The shape is not copied. */
export let makeTensor: (storage: TensorStorage) => Tensor;

/** A view of a tensor's elements, which is not for callers: `data` is. @throws TypeError when it is disposed */
export let dataOf: (tensor: Tensor) => FloatArray;

/** A property of each tensor itself: those are what tests compare, and there is nothing else to tell tensors apart by. */
const CONTENTS: PropertyDescriptor & ThisType<Tensor> = {
  get() {
    return this.disposed ? undefined : { dtype: this.dtype, shape: this.shape, data: this.data };
  },
  enumerable: true,
  configurable: true,
};

/** What the constructor has to be given: only this file can. */
const KEY = {};

/** Elements that toString shows, and digits of them. */
const SHOWN = 6;
const DIGITS: Readonly<Record<Dtype, number>> = { float16: 5, float32: 7, float64: 16 };

/** The first elements of a tensor as numbers, where the engine has no array for float16 too. */
function numbersOf(tensor: Tensor, count = tensor.size): FloatArray {
  const data = tensor.data.subarray(0, count);
  return typedArrayTag(data) === 'Uint16Array' ? Float32Array.from(data, (bits) => widen('float16', bits)) : data;
}

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
  readonly #storage: TensorStorage;
  /** The shape as the caller gets it: frozen, and made when it is asked for. */
  #frozenShape: readonly number[] | undefined;
  #view: FloatArray | undefined;
  /** All of it, `data` being a live view as {@link data} is; undefined when the tensor is disposed. */
  declare readonly contents: { dtype: Dtype; shape: readonly number[]; data: FloatArray } | undefined;

  static {
    makeTensor = (storage) => new Tensor(KEY, storage);
    storageOf = (value) => {
      // Typed arrays are told apart first: engines are slow at `in` once it has met many kinds of objects.
      if (typeof value !== 'object' || value === null || typedArrayTag(value) !== undefined) return undefined;
      return storageIn(value);
    };
    storageIn = (value) => (#storage in value ? value.#storage : undefined);
    dataOf = (tensor) => {
      const { owner, address, size, dtype } = Tensor.#of(tensor);
      checkAlive('Tensor', 'the tensor', tensor.#storage);
      const { buffer } = owner.arena;
      if (tensor.#view !== undefined && bufferOf(tensor.#view) === buffer) return tensor.#view;
      return arrayOf(TAGS[dtype], buffer, address, size) as FloatArray;
    };
  }

  /** Tensors are made by {@link tensor} and {@link zeros}. */
  private constructor(key: object, storage: TensorStorage) {
    if (key !== KEY) throw new TypeError('Tensor: the constructor was called, expected tensor() or zeros() instead');
    this.#storage = storage;
    Object.defineProperty(this, 'contents', CONTENTS);
  }

  /** @internal Whether this is a tensor, from whichever realm's prototype chain. */
  static is(value: unknown): value is Tensor {
    return storageOf(value) !== undefined;
  }

  /** @throws TypeError for a proxy of a tensor, and for an object that inherits from one */
  static #of(tensor: Tensor): TensorStorage {
    if (#storage in tensor) return tensor.#storage;
    throw new TypeError('Tensor: this is a proxy of a tensor, expected the tensor itself');
  }

  get shape(): readonly number[] {
    const { shape } = Tensor.#of(this);
    return (this.#frozenShape ??= Object.freeze(shape.slice()));
  }

  get dtype(): Dtype {
    return Tensor.#of(this).dtype;
  }

  /** Number of elements. */
  get size(): number {
    return Tensor.#of(this).size;
  }

  get disposed(): boolean {
    return Tensor.#of(this).address < 0;
  }

  /**
   * A live view of the elements: borrowed, not a copy. It has length 0 once the memory has grown (read `data` again)
   * and must not be used after `dispose`. Holding it keeps the tensor; holding a subarray of it does not.
   * @throws TypeError when the tensor is disposed.
   */
  get data(): FloatArray {
    const data = dataOf(this);
    if (data !== this.#view) {
      this.#view = data;
      owners.set(data, this);
      this.#storage.owner.arena.isLent = true;
    }
    return data;
  }

  /** A copy of the elements. @throws TypeError when the tensor is disposed. */
  toArray(): FloatArray {
    return copyOf(dataOf(this));
  }

  /**
   * Copies the elements into an array of the same dtype and length, and returns it.
   * @throws TypeError for another dtype or a disposed tensor, RangeError for another length.
   */
  copyTo<A extends FloatArray>(array: A): A {
    const data = dataOf(this);
    const { size, dtype } = this.#storage;
    const expected = TAGS[dtype];
    if (typedArrayTag(array) !== expected) throw typeError('Tensor.copyTo', 'array', array, `a ${expected}`);
    checkAttached('Tensor.copyTo', 'array', array);
    const length = countOf(array);
    if (length !== size) {
      throw countError('Tensor.copyTo', 'array', length, size);
    }
    write(array, data);
    return array;
  }

  /** The elements, one after another. @throws TypeError when the tensor is disposed. */
  [Symbol.iterator](): IterableIterator<number> {
    return numbersOf(this).values();
  }

  /** What JSON.stringify makes of it: plain numbers. @throws TypeError when the tensor is disposed. */
  toJSON(): { dtype: Dtype; shape: readonly number[]; data: number[] } {
    return { dtype: this.dtype, shape: this.shape, data: Array.from(numbersOf(this)) };
  }

  /** For people, as console.log shows it: `Tensor float32 [2, 2] [ 1, 2, 3, 4 ]`. */
  toString(): string {
    const start = `Tensor ${this.dtype} [${this.shape.join(', ')}]`;
    if (this.disposed) return `${start} (disposed)`;
    const elements = Array.from(numbersOf(this, SHOWN), (value) =>
      String(Number(value.toPrecision(DIGITS[this.#storage.dtype]))),
    );
    if (this.#storage.size > SHOWN) elements.push('…');
    return `${start} [ ${elements.join(', ')} ]`;
  }

  /** @internal The same, where Node asks for it. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }

  /** Frees the memory at once; doing it twice is harmless. */
  dispose(): void {
    const storage = Tensor.#of(this);
    const { owner, address } = storage;
    if (address < 0) return;
    owner.release(this, address);
    storage.address = -1;
    this.#view = undefined;
  }
}

export interface Tensor extends Disposable {}

// Symbol.dispose exists from Node 20 and in new browsers only; `using` needs it, nothing else does.
if (typeof Symbol.dispose === 'symbol') Tensor.prototype[Symbol.dispose] = Tensor.prototype.dispose;
