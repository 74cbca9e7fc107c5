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
import { typeError } from '../errors.js';
import { widen } from '../reference/half.js';
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
export let ownerOf: (tensor: Tensor) => TensorOwner;
export let shapeOfTensor: (tensor: Tensor) => readonly number[];
export let dtypeOfTensor: (tensor: Tensor) => Dtype;
export let sizeOfTensor: (tensor: Tensor) => number;

/** The address of a tensor's first element. @throws TypeError when it is disposed */
export let addressOf: (operation: string, argument: string, tensor: Tensor) => number;

/** A new tensor. The shape is not copied. */
export let makeTensor: (
  owner: TensorOwner,
  address: number,
  shape: readonly number[],
  size: number,
  dtype: Dtype,
) => Tensor;

/** A view of a tensor's elements. @throws TypeError when it is disposed */
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
  const data = dataOf(tensor).subarray(0, count);
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
  readonly #owner: TensorOwner;
  readonly #shape: readonly number[];
  readonly #dtype: Dtype;
  readonly #size: number;
  /** The shape as the caller gets it: frozen, and made when it is asked for. */
  #frozenShape: readonly number[] | undefined;
  #address: number;
  #view: FloatArray | undefined;
  /** All of it, `data` being a live view as {@link data} is; undefined when the tensor is disposed. */
  declare readonly contents: { dtype: Dtype; shape: readonly number[]; data: FloatArray } | undefined;

  static {
    makeTensor = (...of) => new Tensor(KEY, ...of);
    ownerOf = (tensor) => tensor.#owner;
    shapeOfTensor = (tensor) => tensor.#shape;
    dtypeOfTensor = (tensor) => tensor.#dtype;
    sizeOfTensor = (tensor) => tensor.#size;
    addressOf = (operation, argument, tensor) => {
      if (Tensor.#self(tensor).#address < 0) {
        throw new TypeError(`${operation}: ${argument} is disposed, expected a tensor that is alive`);
      }
      return tensor.#address;
    };
    dataOf = (tensor) => {
      const address = addressOf('Tensor', 'the tensor', tensor);
      const { buffer } = tensor.#owner.arena;
      if (tensor.#view === undefined || bufferOf(tensor.#view) !== buffer) {
        tensor.#view = arrayOf(TAGS[tensor.#dtype], buffer, address, tensor.#size) as FloatArray;
        owners.set(tensor.#view, tensor);
      }
      return tensor.#view;
    };
  }

  /** Tensors are made by {@link tensor} and {@link zeros}. */
  private constructor(
    key: object,
    owner: TensorOwner,
    address: number,
    shape: readonly number[],
    size: number,
    dtype: Dtype,
  ) {
    if (key !== KEY) throw new TypeError('Tensor: the constructor was called, expected tensor() or zeros() instead');
    this.#owner = owner;
    this.#address = address;
    this.#shape = shape;
    this.#size = size;
    this.#dtype = dtype;
    Object.defineProperty(this, 'contents', CONTENTS);
  }

  /** @internal Whether this is a tensor, from whichever realm's prototype chain. */
  static is(value: unknown): value is Tensor {
    return typeof value === 'object' && value !== null && #address in value;
  }

  /** @throws TypeError for a proxy of a tensor, and for an object that inherits from one */
  static #self(tensor: Tensor): Tensor {
    if (#address in tensor) return tensor;
    throw new TypeError('Tensor: this is a proxy of a tensor, expected the tensor itself');
  }

  get shape(): readonly number[] {
    const self = Tensor.#self(this);
    return (self.#frozenShape ??= Object.freeze(self.#shape.slice()));
  }

  get dtype(): Dtype {
    return Tensor.#self(this).#dtype;
  }

  /** Number of elements. */
  get size(): number {
    return Tensor.#self(this).#size;
  }

  get disposed(): boolean {
    return Tensor.#self(this).#address < 0;
  }

  /**
   * A live view of the elements: borrowed, not a copy. It has length 0 once the memory has grown (read `data` again)
   * and must not be used after `dispose`. Holding it keeps the tensor; holding a subarray of it does not.
   * @throws TypeError when the tensor is disposed.
   */
  get data(): FloatArray {
    return dataOf(this);
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
    const expected = TAGS[this.#dtype];
    if (typedArrayTag(array) !== expected) throw typeError('Tensor.copyTo', 'array', array, `a ${expected}`);
    checkAttached('Tensor.copyTo', 'array', array);
    const length = countOf(array);
    if (length !== this.#size) {
      throw new RangeError(`Tensor.copyTo: array has ${length} elements, expected ${this.#size}`);
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
      String(Number(value.toPrecision(DIGITS[this.#dtype]))),
    );
    if (this.#size > SHOWN) elements.push('…');
    return `${start} [ ${elements.join(', ')} ]`;
  }

  /** @internal The same, where Node asks for it. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }

  /** Frees the memory at once; doing it twice is harmless. */
  dispose(): void {
    if (Tensor.#self(this).#address < 0) return;
    this.#owner.release(this, this.#address);
    this.#address = -1;
    this.#view = undefined;
  }
}

export interface Tensor extends Disposable {}

// Symbol.dispose exists from Node 20 and in new browsers only; `using` needs it, nothing else does.
if (typeof Symbol.dispose === 'symbol') Tensor.prototype[Symbol.dispose] = Tensor.prototype.dispose;
