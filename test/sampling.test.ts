import { describe, expect, test } from 'vitest';
import * as library from '../src/index.js';
import { programsIn, runDocumented } from './support/documentation.js';
import { readText } from './support/platform.js';

const programs = programsIn(await readText('docs/sampling.md'));

describe('docs/sampling.md', () => {
  test.each(programs)('$name', async (program) => {
    const given = Object.fromEntries(program.imported.map((name) => [name, library[name as keyof typeof library]]));
    const pairs = await runDocumented(program, given);
    expect(pairs.length).toBeGreaterThan(0);
    for (const { told, got } of pairs) expect(got).toBe(told);
  });

  test('has all of them', () => {
    expect(programs.length).toBeGreaterThanOrEqual(7);
  });
});
