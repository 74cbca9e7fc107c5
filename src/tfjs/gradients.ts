import { product } from '../call/shape.js';
import type { MapAttributes, OperationKernel } from './operations.js';
import type { GradConfig, Host, HostTensor } from './types.js';

/** `isMasked` also where the mask was `causal`. */
export interface LogSoftmaxAttributes extends MapAttributes {
  isMasked?: boolean;
}

/** Runs one of our own kernels. */
export function runOperation<T>(
  tf: Host<T>,
  name: OperationKernel,
  inputs: { [name: string]: T },
  attributes?: object,
): T | T[] {
  return tf.engine().runKernel(name, inputs, attributes as { [name: string]: unknown });
}

/** Whether a gradient of a gradient is asked for: our gradient kernels have none. */
export function isDifferentiatedTwice<T>(tf: Host<T>): boolean {
  return tf.engine().state.gradientDepth > 1;
}

/**
 * The gradient for x of a function with result y. `traced` returns y for operations that are differentiated themselves.
 */
type Backward<T> = (y: T, dy: T, traced: () => T) => T;

/**
 * The result y of a computation in a form through which gradients of its gradient reach x. The output that
 * TensorFlow.js saves for a kernel will not do: it is saved before the output is on the tape, so it counts as a
 * constant.
 */
function trace<T extends HostTensor>(tf: Host<T>, x: T, compute: () => T, backward: Backward<T>): T {
  return tf.engine().runKernelFunc({
    inputs: { x },
    forwardFunc: (_, save) => {
      const y = compute();
      save([x, y]);
      return y;
    },
    backwardsFunc: (dy, [x, y]) => {
      const again = () => tf.reshape(y!, y!.shape);
      return { x: () => backward(y!, dy, () => trace(tf, x!, again, backward)) };
    },
  });
}

/** (dy − Σ dy · y) · y / t. If the gradient itself is differentiated, it is composed of differentiable operations. */
function softmaxGradient<T extends HostTensor>(
  tf: Host<T>,
  attributes: MapAttributes,
  y: T,
  dy: T,
  traced = () => y,
): T {
  if (!tf.engine().isTapeOn()) return runOperation(tf, 'SoftmaxWasmSoftmaxBackward', { y, dy }, attributes) as T;
  const { axis = -1, temperature = 1 } = attributes;
  const p = traced();
  const weighted = tf.mul(dy, p);
  return tf.mul(tf.sub(weighted, tf.mul(tf.sum(weighted, axis, true), p)), 1 / temperature);
}

/** (dy − Σ dy · e^y) / t. Elements that a mask made −∞ depend on nothing, so their dy is ignored. */
function logSoftmaxGradient<T extends HostTensor>(
  tf: Host<T>,
  attributes: LogSoftmaxAttributes,
  y: T,
  dy: T,
  traced = () => y,
): T {
  if (attributes.isMasked) {
    const { isMasked, ...others } = attributes;
    return logSoftmaxGradient(tf, others, y, tf.where(tf.equal(y, -Infinity), tf.zerosLike(dy), dy), traced);
  }
  if (!tf.engine().isTapeOn()) return runOperation(tf, 'SoftmaxWasmLogSoftmaxBackward', { y, dy }, attributes) as T;
  const { axis = -1, temperature = 1 } = attributes;
  return tf.mul(tf.sub(dy, tf.mul(tf.sum(dy, axis, true), exp(tf, traced()))), 1 / temperature);
}

/** e^x with correct second derivatives, which tf.exp lacks because it saves its own output. */
function exp<T extends HostTensor>(tf: Host<T>, x: T): T {
  return trace(
    tf,
    x,
    () => tf.exp(x),
    (_, dy, traced) => tf.mul(dy, traced()),
  );
}

const GRADIENTS = { SoftmaxWasmSoftmax: softmaxGradient, SoftmaxWasmLogSoftmax: logSoftmaxGradient };

/** Runs a kernel that keeps the shape of x. */
export function runMap<T extends HostTensor>(
  tf: Host<T>,
  name: keyof typeof GRADIENTS,
  inputs: { [name: string]: T },
  attributes: { [name: string]: unknown },
): T {
  const compute = () => runOperation(tf, name, inputs, attributes) as T;
  if (!isDifferentiatedTwice(tf)) return compute();
  return trace(tf, inputs.x!, compute, (y, dy, traced) => GRADIENTS[name](tf, attributes, y, dy, traced));
}

/** The gradients of our own kernels, except the losses, which compute theirs in the same pass. */
export function operationGradients<T extends HostTensor>(tf: Host<T>): GradConfig<T>[] {
  return [
    {
      kernelName: 'SoftmaxWasmSoftmax' satisfies OperationKernel,
      outputsToSave: [true],
      gradFunc: (dy, [y], attributes) => ({ x: () => softmaxGradient(tf, attributes, y!, dy) }),
    },
    {
      kernelName: 'SoftmaxWasmLogSoftmax' satisfies OperationKernel,
      outputsToSave: [true],
      gradFunc: (dy, [y], attributes) => ({ x: () => logSoftmaxGradient(tf, attributes, y!, dy) }),
    },
    {
      kernelName: 'SoftmaxWasmLogSumExp' satisfies OperationKernel,
      inputsToSave: ['x'],
      gradFunc: (dy, [x], { from, to }) => ({ x: () => logSumExpGradient(tf, x!, dy, from as number, to as number) }),
    },
  ];
}

/** dy · softmax(x), reshaped to three dimensions: kernels of TensorFlow.js have a limited rank. */
function logSumExpGradient<T extends HostTensor>(tf: Host<T>, x: T, dy: T, from: number, to: number): T {
  const { shape } = x;
  const [outer, inner] = [product(shape.slice(0, from)), product(shape.slice(to))];
  const rows = tf.reshape(x, [outer, product(shape.slice(from, to)), inner]);
  const p = runMap(tf, 'SoftmaxWasmSoftmax', { x: rows }, { axis: 1 });
  return tf.reshape(tf.mul(p, tf.reshape(dy, [outer, 1, inner])), shape);
}

/** Replaces the gradient of TensorFlow.js's own softmax on the registered backend; other backends keep theirs. */
export function fasterSoftmaxGradient<T extends HostTensor>(
  tf: Host<T>,
  original: GradConfig<T>,
  isOurs: () => boolean,
): GradConfig<T> {
  return {
    ...original,
    gradFunc: (dy, saved, attributes) => {
      if (!isOurs() || dy.dtype !== 'float32') return original.gradFunc(dy, saved, attributes);
      return { logits: () => softmaxGradient(tf, { axis: attributes.dim as number }, saved[0]!, dy) };
    },
  };
}
