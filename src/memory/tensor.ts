// The type of `using` declarations, for those who compile without it.
/// <reference lib="esnext.disposable" preserve="true" />
import {
  bufferOf,
  checkAttached,
  copyOf,
  countOf,
  type Dtype,
  type FloatArray,
  typedArrayTag,
  write,
} from '../arrays.js';
import { typeError } from '../errors.js';
import type { Arena } from './arena.js';

/** What a tensor belongs to: the runtime of a set of kernels. */
export interface TensorOwner {
  readonly arena: Arena;
  /** Frees what a disposed tensor held. */
  release(tensor: Tensor, address: number): void;
}

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

/** A view of a tensor's elements. @throws TypeError when it is disposed */
export let dataOf: (tensor: Tensor) => FloatArray;

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

  static {
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
        const Type = tensor.#dtype === 'float32' ? Float32Array : Float64Array;
        tensor.#view = new Type(buffer, address, tensor.#size);
        owners.set(tensor.#view, tensor);
      }
      return tensor.#view;
    };
  }

  /** @internal The shape is not copied. */
  constructor(owner: TensorOwner, address: number, shape: readonly number[], size: number, dtype: Dtype) {
    this.#owner = owner;
    this.#address = address;
    this.#shape = shape;
    this.#size = size;
    this.#dtype = dtype;
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
    const expected = this.#dtype === 'float32' ? 'Float32Array' : 'Float64Array';
    if (typedArrayTag(array) !== expected) throw typeError('Tensor.copyTo', 'array', array, `a ${expected}`);
    checkAttached('Tensor.copyTo', 'array', array);
    const length = countOf(array);
    if (length !== this.#size) {
      throw new RangeError(`Tensor.copyTo: array has ${length} elements, expected ${this.#size}`);
    }
    write(array, data);
    return array;
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
