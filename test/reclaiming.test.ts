// Tensors that are no longer referenced are reclaimed. This runs in a process of its own, where a collection is fast.
import { describe, expect, test } from 'vitest';
import { sets, type TestSet } from './support/backends.js';
import { collectGarbage } from './support/platform.js';

describe.skipIf(collectGarbage === undefined).each(sets)('$name', (set: TestSet) => {
  test('tensors that are no longer referenced', async () => {
    const kernels = set.create();
    (() => {
      for (let i = 0; i < 100; i++) kernels.softmax(kernels.tensor(new Float32Array(1000)));
    })();
    const kept = kernels.tensor([1, 2, 3]);
    for (let i = 0; i < 20 && kernels.memoryUsage().tensors > 1; i++) await collectGarbage?.();
    expect(kernels.memoryUsage()).toEqual({ bytes: 64, tensors: 1 });
    expect([...kept.data]).toEqual([1, 2, 3]);
  });

  test('not while a view is held', async () => {
    const kernels = set.create();
    const view = (() => kernels.tensor([1, 2, 3]).data)();
    for (let i = 0; i < 5; i++) await collectGarbage?.();
    expect(kernels.memoryUsage().tensors).toBe(1);
    kernels.zeros([16]).data.fill(9);
    expect([...view]).toEqual([1, 2, 3]);
  });

  test('not again after they were disposed', async () => {
    const kernels = set.create();
    (() => {
      for (let i = 0; i < 50; i++) kernels.zeros([10]).dispose();
    })();
    const kept = Array.from({ length: 50 }, (_, i) => kernels.tensor([i]));
    for (let i = 0; i < 5; i++) await collectGarbage?.();
    expect(kernels.memoryUsage()).toEqual({ bytes: 50 * 64, tensors: 50 });
    kept.forEach((t, i) => {
      expect(t.data[0]).toBe(i);
    });
  });

  // A short array takes the fast path, a longer one does not.
  test.each([1000, 5000])('the caller’s array of %i elements is not kept alive', async (length) => {
    const kernels = set.create();
    const reference = (() => {
      const x = new Float32Array(length);
      kernels.softmax(x);
      return new WeakRef(x);
    })();
    for (let i = 0; i < 10 && reference.deref() !== undefined; i++) await collectGarbage?.();
    expect(reference.deref()).toBeUndefined();
  });
});
