import { expect, test } from 'vitest';
import * as library from '../src/index.js';
import { runDocumented } from './support/documentation.js';
import { readText } from './support/platform.js';

const page = await readText('docs/merging.md');
const programs = [...page.matchAll(/```js\n([\s\S]*?)```/g)].map(([, program]) => (program as string).split('\n'));

test.each(programs.map((lines, i) => ({ name: `program ${i + 1} of docs/merging.md`, lines })))(
  '$name',
  async (example) => {
    const lines = example.lines.filter((line) => !line.startsWith('import '));
    const told = await runDocumented({ ...example, lines }, library);
    expect(told.length).toBeGreaterThan(0);
    for (const { told: expected, got } of told) expect(got).toBe(expected);
  },
);
