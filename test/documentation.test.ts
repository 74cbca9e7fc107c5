import { beforeAll, describe, expect, test, vi } from 'vitest';
import { documentedExamples, type Example, runDocumented, written } from './support/documentation.js';

const examples = await documentedExamples();

describe('examples in doc comments', () => {
  let told = 0;

  beforeAll(() => {
    expect(examples.length).toBeGreaterThan(8);
  });

  test.each(examples)('$name', async (example: Example) => {
    vi.resetModules();
    const library = await import('../src/index.js');
    for (const pair of await runDocumented(example, library)) {
      told++;
      expect(pair.got).toBe(pair.told);
    }
  });

  test('show results', () => {
    expect(told).toBeGreaterThanOrEqual(examples.length / 2);
  });

  test('exist for every export', async () => {
    const library = await import('../src/index.js');
    const undocumented = Object.keys(library).filter((name) => !examples.some((example) => example.of === name));
    // Errors are thrown, not called, and need no example.
    expect(undocumented).toEqual(['OutOfMemoryError']);
  });
});

test('a wrong example is detected', async () => {
  const example = { name: 'wrong', lines: ['const x = [1, 2];', 'x.length; // 3'] };
  expect(await runDocumented(example, {})).toEqual([{ told: '3', got: '2' }]);
  expect(written({ a: [Float32Array.of(0.6590011), -0.0001], b: 'x', c: null })).toBe(
    "{ a: [Float32Array [0.659], 0], b: 'x', c: null }",
  );
});
