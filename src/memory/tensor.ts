// The type of `using` declarations, for those who compile without it.
/// <reference lib="esnext.disposable" preserve="true" />
import {
  arrayOf,
  attachedCount,
  bufferOf,
  copyOf,
  type Dtype,
  type FloatArray,
  HALF_TAG,
  typedArrayTag,
  write,
} from '../arrays.js';
import { countError, typeError } from '../errors.js';
import { widen } from '../half.js';
import type { Arena } from './arena.js';

/** The owner of a tensor: the runtime of a set of kernels. */
export interface TensorOwner {
  readonly arena: Arena;
  /** Frees what a disposed tensor held. */
  release(tensor: Tensor, address: number): void;
}

/** The type of the typed array that views a tensor's elements. */
const TAGS: Readonly<Record<Dtype, string>> = { float16: HALF_TAG, float32: 'Float32Array', float64: 'Float64Array' };

/** Keeps a tensor from being freed as long as a view of its data is held. */
const owners = new WeakMap<FloatArray, Tensor>();

/**
 * The private state of a tensor, whatever properties a caller may have added to it. Callers cannot reach it: they could
 * corrupt the memory with it, since kernels trust these sizes.
 */
export interface TensorStorage {
  readonly owner: TensorOwner;
  /** The address of the first element, -1 once the tensor is disposed. */
  address: number;
  readonly shape: readonly number[];
  /** Number of elements. */
  readonly size: number;
  readonly dtype: Dtype;
  /** Bytes of an element as kernels take it. */
  readonly elementBytes: 4 | 8;
}

/** The storage of a tensor, whatever its prototype; undefined for anything else. */
export let storageOf: (value: unknown) => TensorStorage | undefined;

/** The same for an object that is not a typed array. */
export let storageIn: (value: object) => TensorStorage | undefined;

/** @throws TypeError when the tensor is disposed */
export function checkAlive(operation: string, argument: string, { address }: TensorStorage): void {
  if (address < 0) throw new TypeError(`${operation}: ${argument} is disposed, expected a tensor that is alive`);
}

/** A new tensor. The shape is not copied. */
export let makeTensor: (storage: TensorStorage) => Tensor;

/**
 * A view of a tensor's elements for internal use; callers get theirs from `data`. @throws TypeError when it is disposed
 */
export let dataOf: (tensor: Tensor) => FloatArray;

/** An own property of each tensor: test frameworks compare own properties, and a tensor has no others. */
const CONTENTS: PropertyDescriptor & ThisType<Tensor> = {
  get() {
    return this.disposed ? undefined : { dtype: this.dtype, shape: this.shape, data: this.data };
  },
  enumerable: true,
  configurable: true,
};

/** The key that the constructor demands, so that only this file can call it. */
const KEY = {};

/** The number of elements that toString shows, and of their digits. */
const SHOWN = 6;
const DIGITS: Readonly<Record<Dtype, number>> = { float16: 5, float32: 7, float64: 16 };

/** The first elements of a tensor as numbers, even for float16 in an engine without Float16Array. */
function numbersOf(tensor: Tensor, count = tensor.size): FloatArray {
  const data = tensor.data.subarray(0, count);
  return typedArrayTag(data) === 'Uint16Array' ? Float32Array.from(data, (bits) => widen('float16', bits)) : data;
}

/**
 * An array of numbers in the library's linear memory: operations use it without copying. {@link tensor} and {@link
 * zeros} make tensors, and so does every operation that is given one. `dispose` frees the memory at once; in engines
 * with FinalizationRegistry, a tensor that is no longer referenced is freed some time later.
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
  /** The shape as the caller gets it: a frozen copy, made when it is first read. */
  #frozenShape: readonly number[] | undefined;
  #view: FloatArray | undefined;
  /**
   * The dtype, shape and elements, where `data` is a live view like {@link data}; undefined once the tensor is
   * disposed.
   */
  declare readonly contents: { dtype: Dtype; shape: readonly number[]; data: FloatArray } | undefined;

  static {
    makeTensor = (storage) => new Tensor(KEY, storage);
    storageOf = (value) => {
      // Typed arrays are sorted out first: `in` is slow in engines once it has met many kinds of objects.
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
   * A live view of the elements, not a copy. It has length 0 once the memory has grown (read `data` again), and must
   * not be used after `dispose`. Holding it keeps the tensor alive; holding a subarray of it does not.
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
   * @throws TypeError for an array of another dtype or a disposed tensor, RangeError for an array of another length.
   */
  copyTo<A extends FloatArray>(array: A): A {
    const data = dataOf(this);
    const { size, dtype } = this.#storage;
    const expected = TAGS[dtype];
    if (typedArrayTag(array) !== expected) throw typeError('Tensor.copyTo', 'array', array, `a ${expected}`);
    const length = attachedCount('Tensor.copyTo', 'array', array);
    if (length !== size) throw countError('Tensor.copyTo', 'array', length, size);
    write(array, data);
    return array;
  }

  /** Iterates over the elements. @throws TypeError when the tensor is disposed. */
  [Symbol.iterator](): IterableIterator<number> {
    return numbersOf(this).values();
  }

  /**
   * What JSON.stringify writes: dtype, shape, and the elements as plain numbers. @throws TypeError when the tensor is
   * disposed.
   */
  toJSON(): { dtype: Dtype; shape: readonly number[]; data: number[] } {
    return { dtype: this.dtype, shape: this.shape, data: Array.from(numbersOf(this)) };
  }

  /** A readable form, which console.log shows: `Tensor float32 [2, 2] [ 1, 2, 3, 4 ]`. */
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

  /** Frees the memory at once. Calling it again does nothing. */
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
