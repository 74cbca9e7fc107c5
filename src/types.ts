import type { Dtype, FloatArray, Half, HalfArray, IntegerArray, WideArray } from './arrays.js';
import type { Tensor } from './memory/tensor.js';

export type { Dtype, FloatArray, IntegerArray };

/**
 * A tensor of another library: anything with row-major `data` and a `shape` (or `dims`). If `type` (or `dtype`) is
 * 'float16' or 'bfloat16', a Uint16Array holds the bits of such floats.
 */
export interface TensorLike {
  readonly data: unknown;
  readonly shape?: readonly number[];
  readonly dims?: readonly number[];
  readonly type?: unknown;
  readonly dtype?: unknown;
}

/** A tensor-like object that holds 16-bit floats as their bits. */
export type HalfBits = TensorLike & { readonly data: Uint16Array } & (
    | { readonly type: Half }
    | { readonly dtype: Half }
  );

/** Any 16-bit floats. */
type Halves = HalfArray | { readonly data: HalfArray } | HalfBits;

/** What an operation takes: plain numbers (treated as float32), a typed array, a tensor-like object or a Tensor. */
export type Input = readonly number[] | FloatArray | TensorLike | Tensor;

/** What an operation returns for a tensor-like input. */
export interface TensorResult<A = FloatArray> {
  data: A;
  shape: number[];
}

/** The typed array that results for this input are returned in. */
export type ArrayOf<X> = X extends
  | Float32Array
  | readonly number[]
  | { readonly data: Float32Array | readonly number[] }
  ? Float32Array
  : X extends Float64Array | { readonly data: Float64Array } | { readonly dtype: 'float64' }
    ? Float64Array
    : X extends HalfArray | { readonly data: HalfArray }
      ? HalfArray
      : FloatArray;

/** Adds Uint16Array where it is not known what a tensor-like object holds: it may be the bits of 16-bit floats. */
type OrBits<A> = FloatArray extends A ? A | Uint16Array : A;

/** The typed array with a number for each row: float32 for 16-bit floats. */
type RowsOf<X> = X extends Halves ? Float32Array : ArrayOf<X>;

/**
 * The last argument of a call: options of type O, which may be undefined or left out. From a parameter `options?: O`,
 * TypeScript would infer an O without undefined. The intersection makes editors show the documentation of an option in
 * a call.
 */
export type OptionsArgument<O, Options> = undefined extends O
  ? [options: O] | []
  : [options: O & { readonly [name in keyof Options]?: unknown }] | [];

/** The options of a call without any. */
export type NoOptions = Record<never, never>;

/** The type of an option's value; undefined if it may be absent. */
type OptionOf<O, Name extends PropertyKey> = O extends unknown ? (Name extends keyof O ? O[Name] : undefined) : never;

/** The type of `out` if it is given, else that of a new result. */
type OutOr<Out, Result> = Out extends undefined ? Result : Out;

/** An array if a shape is given, else its only element. */
type ArrayOrElement<Shape, Result> = Shape extends undefined ? number : Result;

/** The value of a logSumExpState: a number for each row if `rows` is given. */
export type SumsValue<O> = ArrayOrElement<OptionOf<O, 'rows'>, Float64Array>;

/** The value of a crossEntropyState: with reduction 'none', a number for each row if `rows` is given. */
export type LossesValue<O> = LossOrLosses<OptionOf<O, 'reduction'>, SumsValue<O>>;

/** As many elements as x. */
type Elements<X> = X extends Tensor
  ? Tensor
  : X extends FloatArray | readonly number[]
    ? ArrayOf<X>
    : X extends HalfBits
      ? TensorResult<Uint16Array> & { dtype: Half }
      : TensorResult<OrBits<ArrayOf<X>>>;

/** A number for each row along the axis. */
type PerRow<X, Shape> = X extends Tensor
  ? Tensor
  : X extends FloatArray | readonly number[]
    ? ArrayOrElement<Shape, RowsOf<X>>
    : TensorResult<RowsOf<X>>;

/** Result of an elementwise operation: as many elements as x. */
export type MapResult<X, O> = OutOr<OptionOf<O, 'out'>, Elements<X>>;

/** Result of an operation that reduces each row along the axis to a number. */
export type ReduceResult<X, O> = OutOr<OptionOf<O, 'out'>, PerRow<X, OptionOf<O, 'shape'>>>;

/** Result of an operation that returns an index for each row along the axis. */
export type IndexResult<X, O> = OutOr<
  OptionOf<O, 'out'>,
  X extends FloatArray | readonly number[] ? ArrayOrElement<OptionOf<O, 'shape'>, Int32Array> : TensorResult<Int32Array>
>;

/** An `out` for one number per row. */
export type RowsOut = WideArray | Tensor;

/**
 * An `out` for as many elements as the input has. Results for 16-bit floats go into 16-bit floats of the same type, or
 * into float32.
 */
export type ElementsOut = FloatArray | HalfBits | Tensor;

/** The `out` of topK: values of the dtype of x, and their indices. */
export interface TopKOut {
  values: ElementsOut;
  indices: Int32Array;
}

/** Result of topK. */
export type TopKResult<X, O> = OutOr<
  OptionOf<O, 'out'>,
  { values: Elements<X>; indices: X extends FloatArray | readonly number[] ? Int32Array : TensorResult<Int32Array> }
>;

/** Class indices: an array of integers, one for each row, or a number for a single row. */
export type ClassIndices = number | readonly number[] | IntegerArray;

/** A number if the loss is reduced, else the losses. */
type LossOrLosses<Reduction, Losses> = Reduction extends 'none' ? Losses : number;

/** Result of a loss over classes: a number, or with reduction 'none', a loss for each row. */
export type LossResult<X, O> = LossOrLosses<OptionOf<O, 'reduction'>, ReduceResult<X, O>>;

/** A loss and its gradient. Inferring L makes editors spell out both types. */
type LossAndGrad<Loss, Grad> = [Loss] extends [infer L] ? { loss: L; grad: Grad } : never;

/** A loss over classes and its gradient with respect to the first argument. */
export type GradResult<X, O> = LossAndGrad<
  LossOrLosses<OptionOf<O, 'reduction'>, PerRow<X, OptionOf<O, 'shape'>>>,
  MapResult<X, O>
>;

/** Zeros and ones: integers of any width, or booleans. */
export type Labels = readonly (number | boolean)[] | IntegerArray;

/** Result of an elementwise loss: a number, or with reduction 'none', a loss for each element. */
export type ElementLossResult<X, O> = LossOrLosses<OptionOf<O, 'reduction'>, MapResult<X, O>>;

/** An elementwise loss and its gradient with respect to the first argument. */
export type ElementGradResult<X, O> = LossAndGrad<LossOrLosses<OptionOf<O, 'reduction'>, Elements<X>>, MapResult<X, O>>;

/** Booleans or integers, flat or with a shape: elements are kept where it is neither 0 nor false. */
export type Mask = readonly boolean[] | readonly (0 | 1)[] | IntegerArray | TensorLike;

/** How a loss is reduced: the mean, the sum, or not at all. */
export type Reduction = 'mean' | 'sum' | 'none';

/** The same, or `'batchMean'`: the sum divided by the size of the first axis. */
export type BatchReduction = Reduction | 'batchMean';

/** A build of the kernels, or plain TypeScript. */
export type BackendName = 'relaxed-simd' | 'simd128' | 'reference';

/** Which backend runs, why, and what was tried before it. */
export interface BackendInfo {
  name: BackendName;
  reason: string;
  tried: { name: BackendName; error: string }[];
}

/** Settings of `init` and `createKernels`. */
export interface Settings {
  /** The backend to use; `'auto'` (the default) takes the first one that runs. */
  backend?: BackendName | 'auto' | undefined;
  /** A WebAssembly.Module compiled beforehand from `softmax-wasm/simd128.wasm` or `softmax-wasm/relaxed-simd.wasm`. */
  module?: object | undefined;
  /** The most bytes that the linear memory may take. Default: 4 GiB less one page. */
  maxMemory?: number | undefined;
}

export interface MemoryUsage {
  /** Bytes of linear memory that tensors hold. */
  bytes: number;
  /** Tensors that are neither disposed nor reclaimed. */
  tensors: number;
}

/**
 * A bit for each class, set if the class is kept: class c is bit c % 32 of word ⌊c / 32⌋, as in the masks of grammar
 * engines.
 */
export interface ClassBits {
  /** ⌈classes / 32⌉ words, either shared by all rows or given for each row. */
  readonly bits: Int32Array | Uint32Array;
}

/** The options that say which elements form a row. */
export interface PlaceOptions {
  /**
   * Sizes of the axes. Plain numbers without it are one row; in calibration and fitTemperature, each number is a row of
   * its own.
   */
  shape?: readonly number[] | undefined;
  /** The axis of the classes; negative counts from the end. Default -1. */
  axis?: number | undefined;
}

/** The options that losses over classes share. */
export interface ClassLossOptions extends PlaceOptions {
  /** A weight for each class, which multiplies the losses of that class. */
  weight?: Input | undefined;
  /** Rows with this target are ignored. Default -100; only with class indices. */
  ignoreIndex?: number | undefined;
  /**
   * `'mean'` (the default) divides by the sum of the targets' weights for class indices, and by the number of rows for
   * class probabilities; `'none'` gives a loss for each row.
   */
  reduction?: Reduction | undefined;
  /** With reduction `'none'`, receives the losses of the rows; it must not overlap with any argument. */
  out?: RowsOut | undefined;
}

/** The options that losses with their gradient share. */
export interface GradOptions {
  /**
   * Receives the gradient: same dtype and number of elements as the first argument. It may be that argument itself, and
   * must not overlap with any other.
   */
  out?: ElementsOut | undefined;
  /**
   * The gradient of the final result with respect to the loss: a number, or with reduction `'none'` one for each loss.
   * Default 1.
   */
  gradOutput?: number | Input | undefined;
  /** Whether to add the gradient to what `out` holds; `out` must then not be the first argument. Default false. */
  accumulate?: boolean | undefined;
}

/** What the reports of inspectLogits and inspectTargets have in common. */
export interface ValuesReport {
  /** What is likely wrong, and what to do about it; empty if nothing looks unusual. */
  warnings: string[];
  /** The number of rows along the axis. */
  rows: number;
  /** The number of values in a row. */
  classes: number;
  /** The smallest finite value, NaN if there is none. */
  min: number;
  /** The largest finite value, NaN if there is none. */
  max: number;
}
