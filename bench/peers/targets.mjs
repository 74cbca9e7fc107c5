// How fast the library is meant to be beside its peers: the peer's time over ours, at least.
import { labelOf } from './cases.mjs';

/** Stands for the backend at hand. */
const OURSELVES = 'our own';

/**
 * Operation, cases, peer, the peer's operation where it is another one, with relaxed-simd, with simd128.
 * @type {[string, string[], string, string | undefined, number, number | undefined][]}
 */
const TARGETS = [
  ['softmax', ['256 × 1024', '8 × 32768'], 'tfjs-wasm', undefined, 2, 1.25],
  ['softmax', ['256 × 1024', '8 × 32768'], 'onnxruntime-node', undefined, 1.05, undefined],
  ['softmax', ['256 × 1024', '8 × 32768'], 'onnxruntime-web', undefined, 5, 3.3],
  ['softmax', ['64 × 131072'], 'tfjs-wasm', undefined, 1.8, 1.3],
  ['softmax', ['64 × 131072'], 'onnxruntime-node', undefined, 1.4, undefined],
  ['softmax', ['1024 × 128'], 'tfjs-wasm', undefined, 2, 1.4],
  ['softmax', ['1024 × 128'], 'onnxruntime-node', undefined, 1, undefined],
  ['softmax', ['4096 × 10'], 'tfjs-wasm', undefined, 4.5, 3],
  ['softmax', ['4096 × 10'], 'onnxruntime-node', undefined, 2.3, 1.6],
  ['softmax', ['1024 × 3'], 'tfjs-wasm', undefined, 8, 6],
  ['logSoftmax', ['256 × 1024'], 'tfjs-wasm', undefined, 6, 8],
  ['logSumExp', ['256 × 1024'], 'tfjs-wasm', undefined, 6, 8],
  ['argmax', ['256 × 1024'], 'tfjs-wasm', undefined, 5, 5],
  ['topK', ['1 × 128000'], OURSELVES, 'argmax', 0.33, 0.33],
  ['crossEntropyWithGrad', ['256 × 1024'], 'tfjs-wasm', 'crossEntropy', 7, 8],
  ['crossEntropyWithGrad', ['256 × 1024'], 'torch', undefined, 2, undefined],
  ['sigmoid', ['256 × 1024'], 'tfjs-wasm', undefined, 1.6, 1.1],
  ['bceWithLogitsWithGrad', ['256 × 1024'], 'tfjs-wasm', 'bceWithLogits', 6, 4],
];

/**
 * The targets for this engine: those of simd128 are for Node 20, where relaxed-simd is behind a flag, those of
 * relaxed-simd for later ones. One that the run did not measure has no `measured`; of operations that it left out there
 * is none.
 */
export function judgeTargets(results, major) {
  const backend = major < 22 ? 'simd128' : 'relaxed-simd';
  return TARGETS.flatMap(([operation, labels, peer, peerOperation = operation, relaxed, simd128]) => {
    const target = backend === 'simd128' ? simd128 : relaxed;
    if (target === undefined || !results.some((line) => line.operation === operation)) return [];
    return labels.map((label) => {
      const time = (name, of) =>
        results.find((line) => line.peer === name && line.operation === of && labelOf(line.shape) === label)
          ?.nanoseconds;
      const [ours, theirs] = [time(backend, operation), time(peer === OURSELVES ? backend : peer, peerOperation)];
      const measured = ours === undefined || theirs === undefined ? undefined : theirs / ours;
      const against = peerOperation === operation ? peer : `${peer} ${peerOperation}`;
      return { work: `${operation} ${label}`, against, backend, target, measured };
    });
  });
}
