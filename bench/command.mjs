// What the commands share: their arguments, how they sum rounds up, and where they write.
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';

/** Elements that a quick run leaves cases above out for. */
const QUICK_ELEMENTS = 300_000;

/** [operation …] [--quick] [--json FILE], and further options of a command's own. */
export function parseCommand(ownOptions = {}) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { quick: { type: 'boolean', default: false }, json: { type: 'string' }, ...ownOptions },
  });
  const options = /** @type {any} */ (values);
  return {
    options,
    operations: chosen(positionals),
    /** Whether one line for each operation will do. */
    isGlance: options.quick && positionals.length === 0,
    rounds: options.quick ? 2 : 5,
    roundMilliseconds: options.quick ? 20 : 120,
    isWanted: ({ elements }) => !options.quick || elements <= QUICK_ELEMENTS,
  };
}

/** The operations named, or all that have a benchmark. */
function chosen(names) {
  const operations = readdirSync(new URL('.', import.meta.url))
    .filter((file) => file.endsWith('.bench.mjs'))
    .map((file) => file.slice(0, -'.bench.mjs'.length));
  demandKnown('benchmark of', names, operations);
  return names.length > 0 ? names : operations;
}

/** Ends the program at a name that there is not. */
export function demandKnown(what, names, known) {
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length === 0) return;
  console.error(`no ${what} ${unknown.join(', ')}; there are ${known.join(', ')}`);
  process.exit(1);
}

/**
 * The best round: what else the machine does only ever adds time, most of all to the slowest. The spread is how far the
 * rounds lie apart.
 */
export function bestOf(rounds) {
  const nanoseconds = Math.min(...rounds);
  return { nanoseconds, spread: (Math.max(...rounds) - nanoseconds) / nanoseconds };
}

export function medianOf(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}

/** How far rounds, or the middle half of ratios, may lie apart for a figure that is shown. */
export const MOST_SPREAD = 0.15;

/** Of ratios of two contenders that took turns: the median, and between which the middle half of them lies. */
export function summarize(ratios) {
  const sorted = [...ratios].sort((a, b) => a - b);
  const quartile = Math.floor((sorted.length - 1) / 4);
  return { ratio: medianOf(sorted), from: sorted[quartile], to: sorted[sorted.length - 1 - quartile] };
}

/** How far the middle half lies apart. */
export const ratioSpread = ({ ratio, from, to }) => (to - from) / ratio;

export const saveJson = (file, report) => save(file, `${JSON.stringify(report, null, 1)}\n`);

export function save(file, content) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  console.log(`\nwritten to ${file}`);
}
