import { type OptionNames, readFlag, readOptions } from '../call/options.js';
import { show, typeError } from '../errors.js';
import { BACKENDS, type HostBackendName, type MemoryKind, memoryKindOf, storageOf } from './backends.js';
import { type TensorFunctions, tensorFunctions } from './functions.js';
import { fasterSoftmaxGradient, operationGradients } from './gradients.js';
import { replaceLosses } from './losses.js';
import { matMulByTransposing } from './matmul.js';
import { replaceMethods } from './methods.js';
import { OPERATIONS } from './operations.js';
import { REPLACEMENTS, type Replacement } from './replacements.js';
import type { GradConfig, Host, HostTensor, KernelConfig, KernelFunc, TensorFlow } from './types.js';

export type { MemoryKind } from './backends.js';
export type {
  CrossEntropyTensorOptions,
  SigmoidCrossEntropyTensorOptions,
  SoftmaxTensorOptions,
  TensorFunctions,
} from './functions.js';
export type { HostTensor, TensorFlow } from './types.js';

/** The kernels of TensorFlow.js that this library replaces. */
export type ReplacedKernel = keyof typeof REPLACEMENTS;

/** Options of {@link register}. */
export interface RegisterOptions {
  /** The backend whose kernels are replaced. Default: the active one. */
  backend?: 'wasm' | 'cpu' | undefined;
  /** The kernels to replace. Default: all of them that the backend has. */
  kernels?: readonly ReplacedKernel[] | undefined;
  /** Whether to replace the gradient of softmax. Default true. */
  gradients?: boolean | undefined;
  /**
   * Whether the wasm backend transposes the transposed operands of a matrix product in a step of their own before the
   * product. Gradients of dense layers have such operands, and products without them are many times as fast. Default
   * true.
   */
  matMul?: boolean | undefined;
  /** Whether to replace tf.losses.softmaxCrossEntropy and tf.losses.sigmoidCrossEntropy. Default true. */
  losses?: boolean | undefined;
  /** Whether the tensor methods softmax, logSoftmax and logSumExp become fast along any axis. Default true. */
  methods?: boolean | undefined;
}

/** What {@link register} replaced, and functions on tensors that have no counterpart in TensorFlow.js. */
export interface Registration<T> extends TensorFunctions<T> {
  /**
   * The kernels that were replaced, and whether they compute in the backend's own memory or on copies; undefined until
   * the backend is initialized.
   */
  readonly info: readonly { kernel: ReplacedKernel; backend: 'wasm' | 'cpu'; memory: MemoryKind | undefined }[];
  /** Restores the kernels, gradients, losses and methods of TensorFlow.js. Calling it again does nothing. */
  unregister(): void;
}

const OPTIONS: OptionNames<RegisterOptions> = {
  backend: true,
  kernels: true,
  gradients: true,
  matMul: true,
  losses: true,
  methods: true,
};

/** The engines of TensorFlow.js on which {@link register} is in effect. */
const registered = new WeakSet<object>();

/**
 * Replaces kernels of TensorFlow.js by faster ones of this library, which work in the memory of its wasm backend
 * without copies, so that a program gets faster without further changes.
 *
 * @param tf the namespace of `import * as tf from '@tensorflow/tfjs'`, or the global `tf` of a script tag.
 * @param options the backend, and what to replace; see {@link RegisterOptions}.
 * @returns what was replaced, `unregister()`, and functions on tensors.
 * @throws TypeError for any backend but wasm and cpu (the tensors of webgl, webgpu and node are out of reach); Error if
 * this TensorFlow.js is registered already.
 *
 * @example
 * // import * as tf from '@tensorflow/tfjs'; import { register } from 'softmax-wasm/tfjs';
 * const fast = register(tf);
 * const logits = tf.tensor2d([2, 1, 0.1], [1, 3]);
 * tf.softmax(logits).dataSync(); // Float32Array [0.659, 0.242, 0.099]
 * fast.softmaxCrossEntropy(tf.tensor1d([0], 'int32'), logits).dataSync(); // Float32Array [0.417]
 * fast.unregister();
 */
export function register<T extends HostTensor>(tf: TensorFlow<T>, options?: RegisterOptions): Registration<T> {
  const host = readHost<T>(tf);
  const settings = readSettings(host, options);
  const { backend } = settings;
  const engine = host.engine();
  if (registered.has(engine)) throw new Error('register: it is registered already, expected unregister() before');
  const isOurs = () => host.getBackend() === backend;
  const functions = tensorFunctions(host, isOurs);

  const undo = [
    ...settings.kernels.map((kernel) => replaceKernel(host, backend, kernel, faster(REPLACEMENTS[kernel], backend))),
    ...Object.keys(OPERATIONS).map((name) => addKernel(host, backend, name as keyof typeof OPERATIONS)),
    ...operationGradients(host).map((gradient) => addGradient(host, gradient)),
  ];
  if (settings.gradients) undo.push(replaceGradient(host, isOurs));
  if (settings.matMul && backend === 'wasm') undo.push(replaceMatMul(host));
  if (settings.losses) undo.push(replaceLosses(host, isOurs));
  if (settings.methods) undo.push(replaceMethods(host, functions, isOurs));
  registered.add(engine);

  return {
    ...functions,
    get info() {
      const memory = isOurs() ? memoryKindOf(storageOf(backend, host.engine().backend)) : undefined;
      return settings.kernels.map((kernel) => ({ kernel, backend, memory }));
    },
    unregister() {
      // Called again, it must not end a later registration.
      if (undo.length === 0) return;
      for (const one of undo.splice(0).reverse()) one();
      registered.delete(engine);
    },
  };
}

/** @throws TypeError unless it is the namespace of TensorFlow.js */
function readHost<T>(tf: unknown): Host<T> {
  const host = tf as Partial<Host<T>> | null | undefined;
  const functions = [host?.engine, host?.getKernel, host?.registerKernel, host?.registerGradient];
  if (!functions.every((one) => typeof one === 'function')) {
    throw typeError('register', 'tf', tf, "what import * as tf from '@tensorflow/tfjs' gives");
  }
  return host as Host<T>;
}

interface Settings {
  readonly backend: HostBackendName;
  readonly kernels: readonly ReplacedKernel[];
  readonly gradients: boolean;
  readonly matMul: boolean;
  readonly losses: boolean;
  readonly methods: boolean;
}

function readSettings<T>(tf: Host<T>, options: unknown): Settings {
  const given = readOptions<RegisterOptions>('register', options, OPTIONS);
  const { backend = tf.getBackend(), kernels, gradients = true, matMul = true, losses = true, methods = true } = given;
  if (!BACKENDS.includes(backend as HostBackendName)) {
    const expected = '"wasm" or "cpu": tensors of others are out of reach';
    throw typeError('register', 'backend', backend, expected);
  }
  const name = backend as HostBackendName;
  return {
    backend: name,
    kernels: readKernels(tf, name, kernels),
    gradients: readFlag('register', 'gradients', gradients),
    matMul: readFlag('register', 'matMul', matMul),
    losses: readFlag('register', 'losses', losses),
    methods: readFlag('register', 'methods', methods),
  };
}

function readKernels<T>(tf: Host<T>, backend: HostBackendName, kernels: unknown): readonly ReplacedKernel[] {
  const all = Object.keys(REPLACEMENTS) as ReplacedKernel[];
  if (kernels === undefined) return all.filter((kernel) => tf.getKernel(kernel, backend) !== undefined);
  if (!Array.isArray(kernels)) throw typeError('register', 'kernels', kernels, 'an array');
  for (const kernel of kernels) {
    if (!all.includes(kernel)) throw typeError('register', 'kernels', kernel, `some of ${all.map(show).join(', ')}`);
    if (tf.getKernel(kernel, backend) === undefined) {
      throw new TypeError(`register: kernels has ${show(kernel)}, expected kernels of the backend ${show(backend)}`);
    }
  }
  return Array.from(new Set(kernels));
}

/** Replaces a kernel, keeping its setup and disposal functions, and returns a function that restores it. */
function replaceKernel<T>(
  tf: Host<T>,
  backendName: HostBackendName,
  name: string,
  replace: (original: KernelFunc) => KernelFunc,
): () => void {
  const original = tf.getKernel(name, backendName)!;
  const exchange = (config: KernelConfig) => {
    tf.unregisterKernel(name, backendName);
    tf.registerKernel(config);
  };
  exchange({ ...original, kernelFunc: replace(original.kernelFunc) });
  return () => exchange(original);
}

function faster(replacement: Replacement, backend: HostBackendName): (original: KernelFunc) => KernelFunc {
  return (original) => (call) => replacement(call, storageOf(backend, call.backend)) ?? original(call);
}

/** A custom build of TensorFlow.js may lack some of these kernels. */
function replaceMatMul<T>(tf: Host<T>): () => void {
  const transpose = tf.getKernel('Transpose', 'wasm');
  if (transpose === undefined || tf.getKernel('BatchMatMul', 'wasm') === undefined) return () => {};
  return replaceKernel(tf, 'wasm', 'BatchMatMul', (matMul) => matMulByTransposing(matMul, transpose.kernelFunc));
}

function addKernel<T>(tf: Host<T>, backendName: HostBackendName, kernelName: keyof typeof OPERATIONS): () => void {
  const operation = OPERATIONS[kernelName];
  tf.registerKernel({
    kernelName,
    backendName,
    kernelFunc: (call) => operation(storageOf(backendName, call.backend), call),
  });
  return () => tf.unregisterKernel(kernelName, backendName);
}

function addGradient<T>(tf: Host<T>, gradient: GradConfig<T>): () => void {
  tf.registerGradient(gradient);
  return () => tf.unregisterGradient(gradient.kernelName);
}

function replaceGradient<T extends HostTensor>(tf: Host<T>, isOurs: () => boolean): () => void {
  const original = tf.getGradient('Softmax');
  if (original === undefined) return () => {};
  tf.registerGradient(fasterSoftmaxGradient(tf, original, isOurs));
  return () => tf.registerGradient(original);
}
