// How rows are split into blocks: every block has room for its operands, and is no smaller than necessary.
import { describe, expect, test } from 'vitest';
import { MOST_SLOTS, type Plan, type PlannedOperand, planBlocks } from '../src/call/plan.js';
import { alignUp, STAGING_BYTES } from '../src/memory/arena.js';
import { randomOf } from './support/cases.js';

interface Case {
  readonly outer: number;
  readonly n: number;
  readonly inner: number;
  readonly multiple: number;
  readonly operands: readonly PlannedOperand[];
}

function operandOf(columnBytes: number, rest: Partial<PlannedOperand> = {}): PlannedOperand {
  return { columnBytes, perRow: 2, isStaged: true, isTransposed: false, periodBytes: 0, ...rest };
}

function planOf({ outer, n, inner, multiple, operands }: Case): Plan {
  // Operands behind the count belong to an earlier call.
  const others = Array.from({ length: MOST_SLOTS - operands.length }, () => operandOf(1e9));
  const rows = { outer, n, inner, count: outer * inner, axis: 0 };
  return planBlocks(rows, [...operands, ...others], operands.length, multiple);
}

/** The bytes that the operands of a block take, placed one after another as Run does. */
function bytesOf({ operands }: Case, { slices, columnBlocks, width }: Plan): number {
  let bytes = 0;
  for (const { columnBytes, perRow, isStaged, isTransposed, periodBytes } of operands) {
    const size = alignUp(columnBytes * slices * width + periodBytes);
    if (isStaged || (columnBlocks > 1 && perRow > 1)) bytes += size;
    if (isTransposed) bytes += size;
  }
  return bytes;
}

function expectSound(c: Case): Plan {
  const plan = planOf(c);
  const { slices, columnBlocks, width, bytes, isLarge } = plan;
  const what = JSON.stringify({ ...c, plan });
  expect(bytesOf(c, plan), `${what}: room`).toBeLessThanOrEqual(isLarge ? bytes : STAGING_BYTES);
  expect(slices, `${what}: slices`).toBeGreaterThan(0);
  if (columnBlocks === 1) expect(width, `${what}: width`).toBe(c.inner);
  else expect(width, `${what}: width`).toBe(Math.ceil(c.inner / columnBlocks));
  return plan;
}

/** As many operands as a kernel may have, the worst case of alignment. */
const MANY = Array.from({ length: MOST_SLOTS }, () => operandOf(1));

describe('blocks of slices', () => {
  test('are as large as the staging memory allows', () => {
    for (const columnBytes of [4, 4000, 4004, 60_000]) {
      const c = { outer: 1e6, n: columnBytes / 4, inner: 1, multiple: 1, operands: [operandOf(columnBytes)] };
      const plan = expectSound(c);
      expect(plan.isLarge).toBe(false);
      expect(bytesOf(c, { ...plan, slices: plan.slices * 1.01 + 1 })).toBeGreaterThan(STAGING_BYTES - 2048);
    }
  });

  test('are no larger than the number of slices, and 1 if there are none', () => {
    expect(expectSound({ outer: 3, n: 4, inner: 1, multiple: 1, operands: [operandOf(16)] }).slices).toBe(3);
    const none = expectSound({ outer: 0, n: 4, inner: 1, multiple: 1, operands: [operandOf(16)] });
    expect([none.slices, none.isLarge]).toEqual([1, false]);
  });

  test('are a multiple, or all', () => {
    const operands = Array.from({ length: 6 }, () => operandOf(4));
    expect(expectSound({ outer: 1e6, n: 1, inner: 1, multiple: 256, operands }).slices % 256).toBe(0);
    expect(expectSound({ outer: 1000, n: 1, inner: 1, multiple: 256, operands }).slices).toBe(1000);
  });

  test('leave room for what repeats, for transposed copies, and for alignment', () => {
    const periodic = operandOf(4, { periodBytes: 16_384 });
    expectSound({ outer: 1e6, n: 1, inner: 1, multiple: 256, operands: [operandOf(4), periodic, periodic, periodic] });
    expectSound({ outer: 1e6, n: 10, inner: 3, multiple: 1, operands: [operandOf(40, { isTransposed: true })] });
    expectSound({ outer: 1e6, n: 1, inner: 1, multiple: 1, operands: MANY });
  });

  test('count only what is staged', () => {
    const c = { outer: 1e6, n: 1000, inner: 1, multiple: 1 };
    const [resident, staged] = [operandOf(4000, { isStaged: false }), operandOf(4000)];
    const { slices } = expectSound({ ...c, operands: [staged, resident] });
    expect(slices).toBe(expectSound({ ...c, operands: [staged] }).slices);
  });
});

describe('blocks of columns', () => {
  const wide = { outer: 2, n: 1000, multiple: 1 };

  test('are as wide as the staging memory allows, and of similar width', () => {
    const { slices, columnBlocks, width, isLarge } = expectSound({ ...wide, inner: 1000, operands: [operandOf(4000)] });
    expect([slices, isLarge]).toEqual([1, false]);
    expect(columnBlocks).toBe(Math.ceil(1000 / Math.floor((STAGING_BYTES - 1024) / 4000)));
    expect(width).toBe(Math.ceil(1000 / columnBlocks));
  });

  test('hold copies of resident operands, except those with one element for each row', () => {
    const resident = operandOf(4000, { isStaged: false });
    const perRow = operandOf(4, { isStaged: false, perRow: 1 });
    const alone = expectSound({ ...wide, inner: 1000, operands: [operandOf(4000)] });
    const beside = expectSound({ ...wide, inner: 1000, operands: [operandOf(4000), resident] });
    expect(beside.columnBlocks).toBeGreaterThan(1.9 * alone.columnBlocks - 1);
    // Forty megabytes for each row would make the blocks the narrowest.
    const large = { ...perRow, columnBytes: 4e7 };
    expect(expectSound({ ...wide, inner: 1000, operands: [operandOf(4000), large] })).toEqual(alone);
  });

  test('are whole cache lines even if these do not fit', () => {
    const c = { ...wide, n: 1e6, inner: 100, operands: [operandOf(4e6)] };
    const { columnBlocks, isLarge } = expectSound(c);
    expect([columnBlocks, isLarge]).toEqual([Math.ceil(100 / 16), true]);
    expectSound({ ...c, operands: [...MANY.slice(1), operandOf(4e6)] });
  });

  test('are none where there are not two of them', () => {
    for (const [inner, columnBlocks] of [
      [31, 1],
      [32, 2],
    ] as const) {
      const plan = expectSound({ ...wide, n: 1e6, inner, operands: [operandOf(4e6)] });
      expect([plan.columnBlocks, plan.isLarge]).toEqual([columnBlocks, true]);
    }
  });
});

test('one row that is too large takes the memory that it needs', () => {
  const c = { outer: 5, n: 1e6, inner: 1, multiple: 1, operands: [...MANY.slice(2), operandOf(4e6), operandOf(4e6)] };
  const { slices, bytes, isLarge } = expectSound(c);
  expect([slices, isLarge]).toEqual([1, true]);
  expect(bytes).toBeLessThan(8e6 + 4096);
});

test('rows of any size have room', () => {
  const random = randomOf(7);
  const below = (most: number) => Math.floor(most ** random());
  for (let i = 0; i < 5000; i++) {
    const [outer, n, inner] = [below(1e5), below(1e5), below(3000)];
    const operands = Array.from({ length: 1 + Math.floor(random() * MOST_SLOTS) }, () => {
      const perRow = random() < 0.7 ? n : below(4);
      return operandOf(perRow * 4, { perRow, isStaged: random() < 0.7, isTransposed: inner < 4 && random() < 0.5 });
    });
    expectSound({ outer, n, inner, multiple: 1, operands });
  }
});
