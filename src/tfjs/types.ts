/**
 * The parts of TensorFlow.js that are used here, as types that fit its packages and its script-tag builds without
 * importing either.
 */

/** A tensor as kernels receive it. */
export interface TensorInfo {
  readonly dataId: object;
  readonly shape: number[];
  readonly dtype: string;
}

/** A tf.Tensor. */
export interface HostTensor extends TensorInfo {
  readonly rank: number;
  readonly size: number;
  throwIfDisposed(): void;
  dataSync(): Float32Array | Int32Array | Uint8Array;
}

/** The arguments of a kernel. */
export interface KernelCall {
  inputs: { [name: string]: TensorInfo | undefined };
  backend: object;
  attrs?: { [name: string]: unknown };
}

export type KernelFunc = (call: KernelCall) => TensorInfo | TensorInfo[];

export interface KernelConfig {
  kernelName: string;
  backendName: string;
  kernelFunc: KernelFunc;
  setupFunc?: (backend: object) => void;
  disposeFunc?: (backend: object) => void;
}

/** The gradients of a kernel's inputs, computed when they are asked for. */
export type NamedGradients<T> = { [name: string]: () => T };

export interface GradConfig<T> {
  kernelName: string;
  inputsToSave?: string[];
  outputsToSave?: boolean[];
  gradFunc: (dy: T, saved: T[], attrs: { [name: string]: unknown }) => NamedGradients<T>;
}

/**
 * A computation with a custom gradient. tf.customGrad is built on it, but here a gradient is only computed if it is
 * asked for.
 */
export interface CustomKernel<T> {
  inputs: { [name: string]: T };
  forwardFunc: (backend: object, save: (tensors: T[]) => void) => T;
  backwardsFunc: (dy: T, saved: T[]) => NamedGradients<T>;
}

export interface Engine<T> {
  readonly backend: object;
  readonly state: { readonly gradientDepth: number };
  isTapeOn(): boolean;
  runKernel(name: string, inputs: { [name: string]: T }, attrs?: { [name: string]: unknown }): T | T[];
  runKernelFunc(kernel: CustomKernel<T>): T;
}

/** A loss of tf.losses. */
export type HostLoss<T> = (labels: T, logits: T, weights?: T | null, labelSmoothing?: number, reduction?: number) => T;

export interface Losses<T> {
  softmaxCrossEntropy: HostLoss<T>;
  sigmoidCrossEntropy: HostLoss<T>;
  computeWeightedLoss(losses: T, weights: T, reduction: number): T;
}

/** The namespace as register uses it. */
export interface Host<T> {
  readonly Tensor: { readonly prototype: T };
  readonly losses: Losses<T> | undefined;
  engine(): Engine<T>;
  getBackend(): string;
  getKernel(kernel: string, backend: string): KernelConfig | undefined;
  registerKernel(config: KernelConfig): void;
  unregisterKernel(kernel: string, backend: string): void;
  getGradient(kernel: string): GradConfig<T> | undefined;
  registerGradient(config: GradConfig<T>): void;
  unregisterGradient(kernel: string): void;
  tidy<R>(compute: () => R): R;
  tensor(values: readonly number[] | Float32Array): T;
  cast(x: T, dtype: string): T;
  where(condition: T, a: T, b: T): T;
  equal(a: T, b: number): T;
  zerosLike(x: T): T;
  reshape(x: T, shape: number[]): T;
  add(a: T, b: T | number): T;
  sub(a: T, b: T): T;
  mul(a: T, b: T | number): T;
  neg(x: T): T;
  exp(x: T): T;
  sum(x: T, axis?: number, keepDims?: boolean): T;
}

/**
 * TensorFlow.js as {@link register} takes it: the namespace of `import * as tf from '@tensorflow/tfjs'`, or the global
 * `tf` of a script tag.
 */
export interface TensorFlow<T extends HostTensor> {
  readonly Tensor: { readonly prototype: T };
  engine(): object;
  getBackend(): string;
}
