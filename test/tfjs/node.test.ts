import { describe, expect, test } from 'vitest';
import { register } from '../../src/tfjs/index.js';
import { documentedExamples, runDocumented } from '../support/documentation.js';
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

const examples = await documentedExamples('tfjs');

test.each(examples)('the example $name', async (example) => {
  const tf = await loadTensorFlow('wasm');
  for (const { told, got } of await runDocumented(example, { tf, register })) expect(got).toBe(told);
});
