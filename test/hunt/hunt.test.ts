// Searches every line of the tables of bounds for inputs that miss it: npm run test:hunt takes minutes.
// SEED repeats a search, SECONDS is the time for each line, LENGTH is the one length of rows, WRITE=1 keeps the worst
// ratios for docs/numerics.md.
import { writeFileSync } from 'node:fs';
import { afterAll, test } from 'vitest';
import { columnOf, FILE, type Ratios, readRatios } from '../support/hunted.js';
import { lines } from './lines.js';
import { chooseSeed, failWhereMissed, search, titleOf } from './search.js';

const seed = chooseSeed();
const seconds = Number(process.env.SECONDS ?? 3);
const ratios: Ratios = {};
const BACKENDS = ['relaxed-simd', 'simd128', 'reference'] as const;

console.log(`SEED=${seed}, ${seconds} s for each of ${lines.length} lines`);

test.each(lines.map((line) => [titleOf(line), line] as const))('%s', (title, line) => {
  const found = search(line, seed, seconds);
  ratios[line.what] = { ...ratios[line.what], [columnOf(line)]: found.ratio };
  console.log(
    `${lines.indexOf(line) + 1}/${lines.length} ${title}: ${found.ratio.toFixed(3)} of the bound, ${found.tries} tries`,
  );
  failWhereMissed(line, seed, found);
});

afterAll(() => {
  console.log(tableOf(ratios));
  if (process.env.WRITE === '1') writeFileSync(FILE, `${JSON.stringify(kept(), undefined, 2)}\n`);
});

/** The new ratios and, for lines that were not searched now, the known ones. Missed bounds are left out. */
function kept(): Ratios {
  const known = readRatios();
  const result: Ratios = {};
  for (const line of lines) {
    const column = columnOf(line);
    const ratio = ratios[line.what]?.[column] ?? known[line.what]?.[column];
    if (ratio === undefined || ratio > 1) continue;
    result[line.what] = { ...result[line.what], [column]: Math.ceil(ratio * 100) / 100 };
  }
  return result;
}

/** The worst ratios, a row for each line and dtype. */
function tableOf(all: Ratios): string {
  const width = Math.max(...Object.keys(all).map((what) => what.length)) + 10;
  const rows = Object.entries(all).flatMap(([what, columns]) =>
    (['float32', 'float64'] as const).flatMap((dtype) => {
      const cells = BACKENDS.map((backend) => columns[columnOf({ dtype, backend })]);
      if (cells.every((ratio) => ratio === undefined)) return [];
      return [[`${what} ${dtype}`, ...cells.map((ratio) => (ratio === undefined ? '' : ratio.toFixed(3)))]];
    }),
  );
  return [['worst ratio of error and bound', ...BACKENDS], ...rows]
    .map(([what, ...cells]) => (what as string).padEnd(width) + cells.map((cell) => cell.padStart(14)).join(''))
    .join('\n');
}
