// How fast the library is meant to be, compared with its peers, hand-written JavaScript, and other cases of its own.
import { bundle, gzipped } from '../../scripts/size.mjs';
import { firstCall } from '../contenders.mjs';
import { medianOf } from '../rounds.mjs';
import { GRID, labelOf } from './cases.mjs';
import { HAND_WRITTEN, PEERS } from './peers.mjs';

/** In place of a peer: the target compares with another case of the same backend. */
const OURSELVES = 'our own';

/**
 * Operation, cases, peer, the peer's operation if it is another one, then the targets with relaxed-simd and with
 * simd128: the peer's time per element divided by ours must be at least this. The last entry is for comparisons with
 * ourselves: the label of the other case, if it differs, and how many bytes this case moves for each byte of the other.
 * @type {[string, string[], string, string | undefined, number, number | undefined, { label?: string, bytes?: number }?][]}
 */
const TARGETS = [
  ['softmax', ['256 × 1024', '8 × 32768'], 'tfjs-wasm', undefined, 2.1, 1.25],
  ['softmax', ['256 × 1024', '8 × 32768'], 'onnxruntime-node', undefined, 1.15, undefined],
  ['softmax', ['256 × 1024', '8 × 32768'], 'onnxruntime-web', undefined, 5, 3.3],
  ['softmax', ['64 × 131072'], 'tfjs-wasm', undefined, 1.8, 1.3],
  ['softmax', ['64 × 131072'], 'onnxruntime-node', undefined, 1.4, undefined],
  ['softmax', ['1024 × 128'], 'tfjs-wasm', undefined, 2.1, 1.4],
  ['softmax', ['1024 × 128'], 'onnxruntime-node', undefined, 1.05, undefined],
  ['softmax', ['4096 × 10'], 'tfjs-wasm', undefined, 5.5, 4.2],
  ['softmax', ['4096 × 10'], 'onnxruntime-node', undefined, 3, 2.2],
  ['softmax', ['1024 × 3'], 'tfjs-wasm', undefined, 9, 9.5],
  ['softmax', ['1024 × 256, axis 0'], OURSELVES, undefined, 0.85, 0.85, { label: '256 × 1024' }],
  ['softmax', ['128 × 1024, axis 0'], OURSELVES, undefined, 0.85, 0.85, { label: '1024 × 128' }],
  ['softmax', ['16 × 1024 × 16, axis 1'], OURSELVES, undefined, 0.85, 0.85, { label: '256 × 1024' }],
  [
    'softmax',
    ['8 × 1000 × 2, axis 1', '8 × 1000 × 3, axis 1'],
    OURSELVES,
    undefined,
    0.6,
    0.6,
    { label: '256 × 1024' },
  ],
  ['softmax', ['1 × 10'], OURSELVES, undefined, 0.7, 0.7, { label: '1 × 10, typed arrays' }],
  ['softmax', ['1 × 1, typed arrays'], HAND_WRITTEN, undefined, 0.5, 0.5],
  ['softmax', ['1 × 4, typed arrays', '1 × 10, typed arrays'], HAND_WRITTEN, undefined, 1, 1],
  ['softmax', ['1 × 1000, typed arrays'], HAND_WRITTEN, undefined, 8, 6],
  ['softmax', ['1 × 10000, typed arrays'], HAND_WRITTEN, undefined, 12, 8],
  ['softmax', ['256 × 1024, typed arrays'], OURSELVES, undefined, 0.75, 0.75, { label: '256 × 1024' }],
  ['softmax', ['256 × 1024, padding mask'], OURSELVES, undefined, 0.85, 0.85, { label: '256 × 1024' }],
  [
    'softmax',
    ['8192 × 1024, padding mask', '8192 × 1024, all kept'],
    OURSELVES,
    undefined,
    0.85,
    0.85,
    { label: '8192 × 1024' },
  ],
  ['softmax', ['1024 × 1024, causal'], OURSELVES, undefined, 1.7, 1.7, { label: '1024 × 1024' }],
  ['softmax', ['4096 × 4096, causal'], OURSELVES, undefined, 1.3, 1.6, { label: '4096 × 4096' }],
  ['logSoftmax', ['256 × 1024'], 'tfjs-wasm', undefined, 6.5, 9],
  ['logSumExp', ['256 × 1024'], 'tfjs-wasm', undefined, 6.5, 9],
  ['logSoftmax', ['256 × 1024'], 'onnxruntime-node', undefined, 1, undefined],
  ['crossEntropy', ['256 × 1024'], 'onnxruntime-node', undefined, 1, undefined],
  ['argmax', ['256 × 1024'], 'tfjs-wasm', undefined, 5, 5],
  ['topK', ['1 × 128000'], OURSELVES, 'argmax', 1 / 3, 1 / 3],
  ['topK', ['256 × 1024, k 5'], OURSELVES, 'argmax', 0.2, 0.2, { label: '256 × 1024' }],
  ['sample', ['1 × 128000'], OURSELVES, 'softmax', 0.6, 0.6],
  ['sample', ['1 × 128000, minP'], OURSELVES, 'softmax', 0.6, 0.6, { label: '1 × 128000' }],
  ['sample', ['1 × 128000, topK 50'], OURSELVES, 'topK', 0.5, 0.5, { label: '1 × 128000' }],
  [
    'sample',
    ['1 × 128000, topP, peaked', '1 × 128000, topP, flat'],
    OURSELVES,
    'softmax',
    1 / 3,
    1 / 3,
    { label: '1 × 128000' },
  ],
  ['sample', ['1 × 128000, topP, peaked', '1 × 128000, topP, flat'], HAND_WRITTEN, undefined, 100, 100],
  ['sample', ['1 × 128000, sure', '1 × 128000, sure, topK 50'], 'transformers.js', undefined, 2, 2],
  ['sample', ['64 × 128000'], OURSELVES, undefined, 0.95, 0.95, { label: '1 × 128000' }],
  ['crossEntropyWithGrad', ['256 × 1024'], 'tfjs-wasm', 'crossEntropy', 7.5, 11],
  ['crossEntropyWithGrad', ['4096 × 10'], 'tfjs-wasm', 'crossEntropy', 4, 6],
  ['crossEntropyWithGrad', ['256 × 1024'], 'torch', undefined, 2, undefined],
  ['sigmoid', ['256 × 1024'], 'tfjs-wasm', undefined, 1.6, 1.1],
  ['bceWithLogitsWithGrad', ['256 × 1024'], 'tfjs-wasm', 'bceWithLogits', 6, 4],
  ['klDiv', ['256 × 1024'], OURSELVES, 'softmax', 0.7, 0.7],
  ['klDivWithGrad', ['256 × 1024'], OURSELVES, 'softmax', 0.7, 0.7, { bytes: 12 / 8 }],
  ['distillation', ['256 × 1024'], OURSELVES, 'softmax', 0.5, 0.5],
  ['distillationWithGrad', ['256 × 1024'], OURSELVES, 'softmax', 0.5, 0.5, { bytes: 12 / 8 }],
  ['softmaxBackward', ['256 × 1024'], OURSELVES, 'softmax', 0.8, 0.8, { bytes: 12 / 8 }],
];
/** The most milliseconds of a first call. */
const FIRST_CALL = 20;
/** The most kilobytes of a gzipped bundle, by what it exports. */
const SIZES = { softmax: 26, everything: 90 };

/** The cases of `npm run bench` that targets name but the grid lacks. */
export function ownLabels(operation) {
  const shared = (GRID[operation] ?? []).map(labelOf);
  const labels = TARGETS.flatMap(([name, its, peer, peerOperation = name, , , { label } = {}]) => {
    const base = peer === OURSELVES && peerOperation === operation ? [label ?? its].flat() : [];
    return name === operation ? [...its, ...base] : base;
  });
  return [...new Set(labels)].filter((label) => !shared.includes(label));
}

/** The peers that run such a case: those that a target names, and hand-written JavaScript. */
export function peersOf(operation, label) {
  const others = TARGETS.filter(([name, its]) => name === operation && its.includes(label)).map(([, , peer]) => peer);
  return PEERS.filter((peer) => peer === HAND_WRITTEN || others.includes(peer));
}

export const OPERATIONS = [...new Set([...Object.keys(GRID), ...TARGETS.map(([operation]) => operation)])];

/**
 * The targets of simd128 are for Node 20, where relaxed-simd is behind a flag, those of relaxed-simd for later ones.
 */
const judged = ({ node }) => (Number.parseInt(node, 10) < 22 ? 'simd128' : 'relaxed-simd');

/**
 * Judges the targets for this engine. A target lacks `measured` if the run did not time one of its cases; targets of
 * operations that the run left out are omitted.
 */
export function judgeTargets(results, node) {
  const backend = judged(node);
  const find = (peer, operation, label) =>
    results.find((it) => it.peer === peer && it.operation === operation && it.label === label && !it.problem);
  const timeOf = (found) => found && found.nanoseconds / found.elements;
  return TARGETS.flatMap(([operation, labels, peer, peerOperation = operation, relaxed, simd128, other = {}]) => {
    const target = backend === 'simd128' ? simd128 : relaxed;
    if (target === undefined || !results.some((line) => line.operation === operation)) return [];
    return labels.map((label) => {
      const base = other.label ?? label;
      const ours = find(backend, operation, label);
      const theirs = find(peer === OURSELVES ? backend : peer, peerOperation, base);
      const measured = ours && theirs && (timeOf(theirs) / timeOf(ours)) * (other.bytes ?? 1);
      const what = [peer, peerOperation !== operation && peerOperation, base !== label && base].filter(Boolean);
      const judgement = line(`${operation} ${label}`, what.join(' '), backend, '≥', target, measured);
      return measured === undefined ? judgement : { ...judgement, spread: Math.max(ours.spread, theirs.spread) };
    });
  });
}

/** Judges the targets of start-up: the time of the first call, and what the library adds to a page. */
export async function judgeStart(node, repetitions) {
  const calls = Array.from({ length: repetitions }, () => firstCall(judged(node), node).call);
  return [
    line('first call, compile included', 'milliseconds', judged(node), '≤', FIRST_CALL, medianOf(calls)),
    line('gzip of a bundle of softmax', 'KB', '', '≤', SIZES.softmax, gzipped(await bundle('{ softmax }')) / 1000),
    line('gzip of a bundle of everything', 'KB', '', '≤', SIZES.everything, gzipped(await bundle()) / 1000),
  ];
}

function line(work, against, backend, relation, target, measured) {
  const met = measured === undefined ? undefined : relation === '≥' ? measured >= target : measured <= target;
  return { work, against, backend, relation, target, measured, met };
}
