import type { Dtype, FloatArray, IntegerArray } from './arrays.js';
import type { Tensor } from './memory/tensor.js';

export type { Dtype, FloatArray, IntegerArray };

/** Numbers of another library: anything with row-major `data` and a `shape` (or `dims`). */
export interface TensorLike {
  readonly data: unknown;
  readonly shape?: readonly number[];
  readonly dims?: readonly number[];
}

/** What an operation takes: plain numbers (counted as float32), a typed array, a tensor-like object, a Tensor. */
export type Input = readonly number[] | FloatArray | TensorLike | Tensor;

/** What an operation returns for a tensor-like input. */
export interface TensorResult<A = FloatArray> {
  data: A;
  shape: number[];
}

/** The typed array that holds results for this input. */
export type ArrayOf<X> = X extends Float64Array | { readonly data: Float64Array } | { readonly dtype: 'float64' }
  ? Float64Array
  : X extends Float32Array | readonly number[] | { readonly data: Float32Array | readonly number[] }
    ? Float32Array
    : FloatArray;

/** Result of an elementwise operation: as many elements as x. */
export type MapResult<X, O> = O extends { out: infer R extends FloatArray | Tensor }
  ? R
  : X extends Tensor
    ? Tensor
    : X extends FloatArray | readonly number[]
      ? ArrayOf<X>
      : TensorResult<ArrayOf<X>>;

/** Result of an operation that reduces each row along the axis to a number. */
export type ReduceResult<X, O> = O extends { out: infer R extends FloatArray | Tensor }
  ? R
  : X extends Tensor
    ? Tensor
    : X extends FloatArray | readonly number[]
      ? O extends { shape: readonly number[] }
        ? ArrayOf<X>
        : number
      : TensorResult<ArrayOf<X>>;

/** Result of an operation that returns an index for each row along the axis. */
export type IndexResult<X, O> = O extends { out: infer R extends Int32Array }
  ? R
  : X extends FloatArray | readonly number[]
    ? O extends { shape: readonly number[] }
      ? Int32Array
      : number
    : TensorResult<Int32Array>;

/** Where topK writes: values of the dtype of x, and their indices. */
export interface TopKOut {
  values: FloatArray | Tensor;
  indices: Int32Array;
}

/** Result of topK. */
export type TopKResult<X, O> = O extends { out: infer R extends TopKOut }
  ? R
  : {
      values: MapResult<X, unknown>;
      indices: X extends FloatArray | readonly number[] ? Int32Array : TensorResult<Int32Array>;
    };

/** Class indices: integers, an array of as many as there are rows, or one number for a single row. */
export type ClassIndices = number | readonly number[] | IntegerArray;

/** Result of a loss over classes: a number, or with reduction 'none' a loss for each row. */
export type LossResult<X, O> = O extends { reduction: 'none' } ? ReduceResult<X, O> : number;

/** A loss over classes and its gradient with respect to the first argument. */
export interface GradResult<X, O> {
  loss: LossResult<X, Omit<O, 'out'>>;
  grad: MapResult<X, O>;
}

/** Zeros and ones: integers of any width, or booleans. */
export type Labels = readonly (number | boolean)[] | IntegerArray;

/** Result of an element-wise loss: a number, or with reduction 'none' a loss for each element. */
export type ElementLossResult<X, O> = O extends { reduction: 'none' } ? MapResult<X, O> : number;

/** An element-wise loss and its gradient with respect to the first argument. */
export interface ElementGradResult<X, O> {
  loss: ElementLossResult<X, Omit<O, 'out'>>;
  grad: MapResult<X, O>;
}

/** Booleans or integers, anything but 0 keeps: flat, or with a shape. */
export type Mask =
  | readonly boolean[]
  | readonly (0 | 1)[]
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | TensorLike;

/** A bit for each class, set to keep it: class c is bit c % 32 of word c / 32, as grammar engines give it. */
export interface ClassBits {
  /** ceil(classes / 32) words for all rows, or as many for each row. */
  readonly bits: Int32Array | Uint32Array;
}
