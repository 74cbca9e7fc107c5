// Checks of the records: what the suites rely on and types cannot express.
import { describe, expect, test } from 'vitest';
import { alongAxis, backward, elementwise, losses, operations } from './operations/index.js';
import { setOf } from './support/backends.js';
import { callsOf } from './support/operation.js';

const LAYOUT = { dtype: 'float32', shape: [2, 3], axis: 1 } as const;

test('every operation has a record', () => {
  const others = ['backendInfo', 'memoryUsage', 'tensor', 'zeros'];
  const names = operations.map(({ name }) => name);
  const all = Object.keys(setOf('reference').kernels).filter((name) => !name.endsWith('State'));
  expect([...names, ...others].sort()).toEqual(all.sort());
});

describe.each(operations)('$name', (operation) => {
  test('its variants give every argument and every option but out', () => {
    const given = callsOf(operation, LAYOUT).flatMap((call) => Object.keys({ ...call.arguments, ...call.options }));
    const wanted = [...operation.arguments, ...operation.options.filter((name) => name !== 'out')];
    expect(new Set(given)).toEqual(new Set(wanted));
  });

  test('out is among its options if the record says what it takes', () => {
    expect(operation.options.includes('out')).toBe(operation.out !== undefined);
  });
});

test.each([...alongAxis, ...backward, ...losses])('$name has fixtures of both types', ({ fixtures }) => {
  expect(new Set(fixtures.map(({ dtype }) => dtype as string))).toEqual(new Set(['float32', 'float64']));
});

test.each(elementwise)('$name has fixtures', ({ fixtures }) => {
  expect(fixtures.x.length).toBeGreaterThan(100);
});
