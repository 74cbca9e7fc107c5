import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import * as library from '../../src/index.js';
import { register } from '../../src/tfjs/index.js';
import { documentedExamples, programsIn, runDocumented } from '../support/documentation.js';
import { readText } from '../support/platform.js';
import { cases } from './cases.js';
import { loadTensorFlow } from './load.js';

describe.each(['wasm', 'cpu'] as const)('%s', (backend) => {
  test.each(cases)('$name', async ({ run }) => {
    const tf = await loadTensorFlow(backend);
    await run({ tf, backend, register });
  });

  test('computes where the backend has its tensors', async () => {
    const tf = await loadTensorFlow(backend);
    const fast = register(tf);
    expect(new Set(fast.info.map(({ memory }) => memory))).toEqual(new Set([backend === 'wasm' ? 'shared' : 'copied']));
    fast.unregister();
  });
});

test('follows a backend that is removed and comes back', async () => {
  const tf = await loadTensorFlow('wasm');
  const fast = register(tf);
  const factory = tf.findBackendFactory('wasm');
  const run = () => tf.tidy(() => Array.from(tf.softmax(tf.tensor([2, 1, 0.1])).dataSync()));
  const before = run();
  for (let i = 0; i < 3; i++) {
    await tf.setBackend('cpu');
    tf.removeBackend('wasm');
    tf.registerBackend('wasm', factory);
    await tf.setBackend('wasm');
    expect(run()).toEqual(before);
    expect(fast.info.every(({ memory }) => memory === 'shared')).toBe(true);
  }
  fast.unregister();
  expect(run()).toHaveLength(3);
});

test('copies where the memory is not to be had, and where our constants would lie on others', async () => {
  const tf = await loadTensorFlow('wasm');
  const factory = tf.findBackendFactory('wasm');
  const renew = async () => {
    await tf.setBackend('cpu');
    tf.removeBackend('wasm');
    tf.registerBackend('wasm', factory);
    await tf.setBackend('wasm');
    return tf.engine().backend as unknown as { wasm: { HEAPU8: Uint8Array; asm: object } };
  };
  const changes: ((backend: Awaited<ReturnType<typeof renew>>) => void)[] = [
    ({ wasm }) => {
      wasm.HEAPU8[100] = 1;
    },
    ({ wasm }) => {
      wasm.asm = { ...wasm.asm, memory: undefined };
    },
  ];
  const fast = register(tf);
  for (const change of changes) {
    change(await renew());
    expect(fast.info[0]!.memory).toBe('copied');
    const x = tf.tensor(
      Float32Array.from({ length: 2000 }, (_, i) => Math.sin(i)),
      [2, 1000],
    );
    const sums = tf.tidy(() => Array.from(tf.softmax(x).sum(1).dataSync()));
    for (const sum of sums) expect(sum).toBeCloseTo(1, 6);
  }
  fast.unregister();
  await renew();
});

test('the example of training prints the same losses twice', () => {
  const program = fileURLToPath(new URL('../../examples/tfjs/train.mjs', import.meta.url));
  const printed = execFileSync(process.execPath, [program, '--quick'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [alone, registered] = [...printed.matchAll(/ ([\d.]+) +([\d.]+) +[\d.]+ ms/g)].map(([, ...losses]) =>
    losses.map(Number),
  );
  expect(registered![1]).toBeCloseTo(alone![1]!, 3);
  expect(alone![1]).toBeLessThan(alone![0]! / 2);
});

const examples = await documentedExamples('tfjs');

test.each(examples)('the example $name', async (example) => {
  const tf = await loadTensorFlow('wasm');
  for (const { told, got } of await runDocumented(example, { tf, register })) expect(got).toBe(told);
});

test.each(programsIn(await readText('docs/tensorflow.md')))('docs/tensorflow.md: $name', async (program) => {
  const tf = await loadTensorFlow('wasm');
  const pairs = await runDocumented(program, { ...library, tf, register });
  expect(pairs.length).toBeGreaterThan(0);
  for (const { told, got } of pairs) expect(got).toBe(told);
});

test('a tensor is refused with the line of docs/tensorflow.md', async () => {
  const tf = await loadTensorFlow('wasm');
  const line = '{ data: x.dataSync(), shape: x.shape }';
  expect(() => library.softmax(tf.tensor([1, 2]) as never)).toThrow(`expected numbers in memory: ${line}`);
  expect(await readText('docs/tensorflow.md')).toContain(`softmax(${line})`);
});
