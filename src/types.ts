import type { Dtype, FloatArray, Half, HalfArray, IntegerArray, WideArray } from './arrays.js';
import type { Tensor } from './memory/tensor.js';

export type { Dtype, FloatArray, IntegerArray };

/**
 * Numbers of another library: anything with row-major `data` and a `shape` (or `dims`). A Uint16Array holds the bits of
 * floats where the `type` (or `dtype`) is 'float16' or 'bfloat16'.
 */
export interface TensorLike {
  readonly data: unknown;
  readonly shape?: readonly number[];
  readonly dims?: readonly number[];
  readonly type?: unknown;
  readonly dtype?: unknown;
}

/** A tensor-like with the bits of floats of 16 bits. */
export type HalfBits = TensorLike & { readonly data: Uint16Array } & (
    | { readonly type: Half }
    | { readonly dtype: Half }
  );

/** Any floats of 16 bits. */
type Halves = HalfArray | { readonly data: HalfArray } | HalfBits;

/** What an operation takes: plain numbers (counted as float32), a typed array, a tensor-like object, a Tensor. */
export type Input = readonly number[] | FloatArray | TensorLike | Tensor;

/** What an operation returns for a tensor-like input. */
export interface TensorResult<A = FloatArray> {
  data: A;
  shape: number[];
}

/** The typed array that holds results for this input. */
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

/** The same for a tensor-like of which it is not known what it holds: bits of floats, perhaps. */
type OrBits<A> = FloatArray extends A ? A | Uint16Array : A;

/** The typed array that holds a number for each row: float32 for floats of 16 bits. */
type RowsOf<X> = X extends Halves ? Float32Array : ArrayOf<X>;

/**
 * The last argument of a call, options of type O, which may be undefined or left out: of `options?: O` an O without the
 * undefined would be inferred. The intersection gives the names in a call their documentation.
 */
export type OptionsArgument<O, Options> = undefined extends O
  ? [options: O] | []
  : [options: O & { readonly [name in keyof Options]?: unknown }] | [];

/** Options of a call without any. */
export type NoOptions = Record<never, never>;

/** What an option may be, undefined where it may be absent. */
type OptionOf<O, Name extends PropertyKey> = O extends unknown ? (Name extends keyof O ? O[Name] : undefined) : never;

/** `out` where it is given, a result of the operation's own where it is not. */
type OutOr<Out, Result> = Out extends undefined ? Result : Out;

/** An array where a shape is given, the one element where it is not. */
type ArrayOrElement<Shape, Result> = Shape extends undefined ? number : Result;

/** What the value of a logSumExpState is: a number for each row where `rows` is given. */
export type SumsValue<O> = ArrayOrElement<OptionOf<O, 'rows'>, Float64Array>;

/** What the value of a crossEntropyState is: with reduction 'none' the same. */
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

/** Where a number for each row goes. */
export type RowsOut = WideArray | Tensor;

/** Where elements go, as many as the input has: for floats of 16 bits in such ones, or in float32. */
export type ElementsOut = FloatArray | HalfBits | Tensor;

/** Where topK writes: values of the dtype of x, and their indices. */
export interface TopKOut {
  values: ElementsOut;
  indices: Int32Array;
}

/** Result of topK. */
export type TopKResult<X, O> = OutOr<
  OptionOf<O, 'out'>,
  { values: Elements<X>; indices: X extends FloatArray | readonly number[] ? Int32Array : TensorResult<Int32Array> }
>;

/** Class indices: integers, an array of as many as there are rows, or one number for a single row. */
export type ClassIndices = number | readonly number[] | IntegerArray;

/** A loss where it is reduced, losses where it is not. */
type LossOrLosses<Reduction, Losses> = Reduction extends 'none' ? Losses : number;

/** Result of a loss over classes: a number, or with reduction 'none' a loss for each row. */
export type LossResult<X, O> = LossOrLosses<OptionOf<O, 'reduction'>, ReduceResult<X, O>>;

/** Both results of a pass, spelled out where an editor shows them. */
type LossAndGrad<Loss, Grad> = [Loss] extends [infer L] ? { loss: L; grad: Grad } : never;

/** A loss over classes and its gradient with respect to the first argument. */
export type GradResult<X, O> = LossAndGrad<
  LossOrLosses<OptionOf<O, 'reduction'>, PerRow<X, OptionOf<O, 'shape'>>>,
  MapResult<X, O>
>;

/** Zeros and ones: integers of any width, or booleans. */
export type Labels = readonly (number | boolean)[] | IntegerArray;

/** Result of an element-wise loss: a number, or with reduction 'none' a loss for each element. */
export type ElementLossResult<X, O> = LossOrLosses<OptionOf<O, 'reduction'>, MapResult<X, O>>;

/** An element-wise loss and its gradient with respect to the first argument. */
export type ElementGradResult<X, O> = LossAndGrad<LossOrLosses<OptionOf<O, 'reduction'>, Elements<X>>, MapResult<X, O>>;

/** Booleans or integers, anything but 0 keeps: flat, or with a shape. */
export type Mask = readonly boolean[] | readonly (0 | 1)[] | IntegerArray | TensorLike;

/** How a loss is reduced: the mean, the sum, or not at all. */
export type Reduction = 'mean' | 'sum' | 'none';

/** The same, and the sum divided by the size of the first axis. */
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
  /** The backend that must run; `'auto'` (the default) takes the first that does. */
  backend?: BackendName | 'auto' | undefined;
  /** A WebAssembly.Module compiled beforehand from `softmax-wasm/simd128.wasm` or `softmax-wasm/relaxed-simd.wasm`. */
  module?: object | undefined;
  /** The most bytes the linear memory may take, 4 GiB less a page if not given. */
  maxMemory?: number | undefined;
}

export interface MemoryUsage {
  /** Bytes of linear memory that tensors hold. */
  bytes: number;
  /** Tensors that are neither disposed nor reclaimed. */
  tensors: number;
}

/** A bit for each class, set to keep it: class c is bit c % 32 of word c / 32, as grammar engines give it. */
export interface ClassBits {
  /** ceil(classes / 32) words for all rows, or as many for each row. */
  readonly bits: Int32Array | Uint32Array;
}

/** The options that tell how predictions lie. */
export interface PlaceOptions {
  /** Sizes of the axes. Numbers without it are one row; in calibration and fitTemperature each is a row of its own. */
  shape?: readonly number[] | undefined;
  /** The axis of the classes; negative counts from the end. Default -1. */
  axis?: number | undefined;
}

/** The options that losses over classes share. */
export interface ClassLossOptions extends PlaceOptions {
  /** A weight for each class, which multiplies its share of the loss. */
  weight?: Input | undefined;
  /** Rows with this target count for nothing. Default -100; only with class indices. */
  ignoreIndex?: number | undefined;
  /** `'mean'` (the default) divides class indices' losses by the weights of their targets, probabilities' by the
   * number of rows; `'none'` gives a loss for each row. */
  reduction?: Reduction | undefined;
  /** Receives the losses of the rows, with reduction `'none'`; no overlap with any argument. */
  out?: RowsOut | undefined;
}

/** The options that losses with their gradient share. */
export interface GradOptions {
  /** Receives the gradient: same dtype and number of elements as the first argument; that itself, or no overlap with any
   * argument. */
  out?: ElementsOut | undefined;
  /** The gradient that comes in from above: a number, or with reduction `'none'` one for each loss. Default 1. */
  gradOutput?: number | Input | undefined;
  /** Whether the gradient is added to what `out` holds, which is then no argument itself. Default false. */
  accumulate?: boolean | undefined;
}

/** What reports on values have in common. */
export interface ValuesReport {
  /** What is likely wrong, and what to do about it; empty when nothing looks unusual. */
  warnings: string[];
  /** The number of rows along the axis. */
  rows: number;
  /** The number of values in a row. */
  classes: number;
  /** The smallest finite value, NaN where there is none. */
  min: number;
  /** The largest finite value, NaN where there is none. */
  max: number;
}
