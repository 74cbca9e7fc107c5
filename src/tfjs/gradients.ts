import { product } from '../call/shape.js';
import type { MapAttributes, OperationKernel } from './operations.js';
import type { GradConfig, Host, HostTensor } from './types.js';

/** `isMasked` where there was a mask, `causal` counted. */
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

/** (dy − Σ dy · y) · y / t. Where the gradient itself is differentiated it is made of operations that can be. */
function softmaxGradient<T extends HostTensor>(tf: Host<T>, y: T, dy: T, attributes: MapAttributes): T {
  if (!tf.engine().isTapeOn()) return runOperation(tf, 'SoftmaxWasmSoftmaxBackward', { y, dy }, attributes) as T;
  const { axis = -1, temperature = 1 } = attributes;
  const weighted = tf.mul(dy, y);
  return tf.mul(tf.sub(weighted, tf.mul(tf.sum(weighted, axis, true), y)), 1 / temperature);
}

/** (dy − Σ dy · e^y) / t. What a mask made −∞ depends on nothing, so that its dy does not count. */
function logSoftmaxGradient<T extends HostTensor>(tf: Host<T>, y: T, dy: T, attributes: LogSoftmaxAttributes): T {
  if (attributes.isMasked) {
    const { isMasked, ...others } = attributes;
    return logSoftmaxGradient(tf, y, tf.where(tf.equal(y, -Infinity), tf.zerosLike(dy), dy), others);
  }
  if (!tf.engine().isTapeOn()) return runOperation(tf, 'SoftmaxWasmLogSoftmaxBackward', { y, dy }, attributes) as T;
  const { axis = -1, temperature = 1 } = attributes;
  return tf.mul(tf.sub(dy, tf.mul(tf.sum(dy, axis, true), tf.exp(y))), 1 / temperature);
}

/** Gradients of our own kernels that have one; the losses bring theirs with them. */
export function operationGradients<T extends HostTensor>(tf: Host<T>): GradConfig<T>[] {
  return [
    {
      kernelName: 'SoftmaxWasmSoftmax' satisfies OperationKernel,
      outputsToSave: [true],
      gradFunc: (dy, [y], attributes) => ({ x: () => softmaxGradient(tf, y!, dy, attributes) }),
    },
    {
      kernelName: 'SoftmaxWasmLogSoftmax' satisfies OperationKernel,
      outputsToSave: [true],
      gradFunc: (dy, [y], attributes) => ({ x: () => logSoftmaxGradient(tf, y!, dy, attributes) }),
    },
    {
      kernelName: 'SoftmaxWasmLogSumExp' satisfies OperationKernel,
      inputsToSave: ['x'],
      gradFunc: (dy, [x], { from, to }) => ({ x: () => logSumExpGradient(tf, x!, dy, from as number, to as number) }),
    },
  ];
}

/** dy · softmax(x), in three dimensions: kernels of TensorFlow.js have limits. */
function logSumExpGradient<T extends HostTensor>(tf: Host<T>, x: T, dy: T, from: number, to: number): T {
  const { shape } = x;
  const [outer, inner] = [product(shape.slice(0, from)), product(shape.slice(to))];
  const rows = tf.reshape(x, [outer, product(shape.slice(from, to)), inner]);
  const p = runOperation(tf, 'SoftmaxWasmSoftmax', { x: rows }, { axis: 1 }) as T;
  return tf.reshape(tf.mul(p, tf.reshape(dy, [outer, 1, inner])), shape);
}

/** The gradient of TensorFlow.js's own softmax, which goes on as it was on other backends. */
export function fasterSoftmaxGradient<T extends HostTensor>(
  tf: Host<T>,
  original: GradConfig<T>,
  isOurs: () => boolean,
): GradConfig<T> {
  return {
    ...original,
    gradFunc: (dy, saved, attributes) => {
      if (!isOurs() || dy.dtype !== 'float32') return original.gradFunc(dy, saved, attributes);
      return { logits: () => softmaxGradient(tf, saved[0]!, dy, { axis: attributes.dim as number }) };
    },
  };
}
