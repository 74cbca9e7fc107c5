import type { TensorFunctions } from './functions.js';
import { isTensor } from './losses.js';
import type { Host, HostTensor } from './types.js';

type Method = (this: HostTensor, ...given: never[]) => unknown;
type Functions = Pick<TensorFunctions<HostTensor>, 'softmax' | 'logSoftmax' | 'logSumExp'>;

/** Methods of tensors that take any axis. */
const METHODS = ['softmax', 'logSoftmax', 'logSumExp'] as const;

/**
 * Replaces the methods of tensors and returns a function that restores them. Tensors that our functions do not support
 * go to those of TensorFlow.js.
 */
export function replaceMethods<T extends HostTensor>(
  tf: Host<T>,
  functions: TensorFunctions<T>,
  isOurs: () => boolean,
): () => void {
  const prototype = tf.Tensor.prototype as unknown as { [name: string]: Method | undefined };
  const originals = METHODS.map((name) => Object.getOwnPropertyDescriptor(prototype, name));
  for (const name of METHODS) {
    const faster = (functions as unknown as Functions)[name] as (...given: unknown[]) => unknown;
    prototype[name] = function (...given) {
      const suits = isOurs() && isTensor(tf, this) && this.dtype === 'float32' && this.rank > 0;
      const run = suits ? faster : (tf as unknown as Record<string, typeof faster>)[name]!;
      return run(this, ...given);
    };
  }
  return () => {
    METHODS.forEach((name, i) => {
      const original = originals[i];
      if (original === undefined) delete prototype[name];
      else Object.defineProperty(prototype, name, original);
    });
  };
}
