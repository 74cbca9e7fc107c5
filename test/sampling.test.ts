import { describe, expect, test } from 'vitest';
import * as library from '../src/index.js';
import { runDocumented } from './support/documentation.js';
import { readText } from './support/platform.js';

const page = await readText('docs/sampling.md');
const programs = [...page.matchAll(/```js\n([\s\S]*?)```/g)].map(([, text]) => {
  const lines = (text as string).split('\n');
  const imported = lines.filter((line) => line.startsWith('import ')).join();
  return { name: lines.find((line) => /^(?:function|const)/.test(line)) as string, imported, lines };
});

describe('docs/sampling.md', () => {
  test.each(programs)('$name', async ({ name, imported, lines }) => {
    const names = /\{(.*)\}/
      .exec(imported)?.[1]
      ?.split(',')
      .map((each) => each.trim()) as (keyof typeof library)[];
    const given = Object.fromEntries(names.map((each) => [each, library[each]]));
    const program = { name, lines: lines.filter((line) => !line.startsWith('import ')) };
    const pairs = await runDocumented(program, given);
    expect(pairs.length).toBeGreaterThan(0);
    for (const { told, got } of pairs) expect(got).toBe(told);
  });

  test('has all of them', () => {
    expect(programs.length).toBeGreaterThanOrEqual(7);
  });
});
