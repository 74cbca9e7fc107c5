// Prints a line for each case and contender, with a column for each engine.
import { formatTime } from '../table.mjs';

const NAMES = 26;
const FIGURES = 17;

export function printHeader(operation, engines) {
  const columns = engines.map(({ name, version }) => `${name} ${version.split('.').slice(0, 2).join('.')}`);
  console.log(
    `\n${operation.padEnd(2 * NAMES - 8)}${[...columns, 'slowest'].map((it) => it.padStart(FIGURES)).join('')}`,
  );
}

/** Prints the lines of one case, the first of which names it, and below them what failed. */
export function printCase(label, lines, engines) {
  const contenders = [...new Set(lines.map(({ contender }) => contender))];
  for (const [i, contender] of contenders.entries()) {
    const cells = lines.filter((line) => line.contender === contender);
    const times = engines.map(({ name }) => {
      const nanoseconds = cells.find(({ engine }) => engine === name)?.nanoseconds;
      return nanoseconds === undefined ? '–' : formatTime(nanoseconds);
    });
    const place = `${(i === 0 ? label : '').padEnd(NAMES)}${contender.padEnd(NAMES - 8)}`;
    console.log(place + [...times, slowest(cells)].map((it) => it.padStart(FIGURES)).join(''));
  }
  for (const { contender, engine, problem } of lines) {
    if (problem) console.log(`  ${contender} in ${engine}: ${problem}`);
  }
}

function slowest(cells) {
  const timed = cells.filter(({ nanoseconds }) => nanoseconds !== undefined);
  if (timed.length < 2) return '';
  const [fastest, ...others] = timed.sort((a, b) => a.nanoseconds - b.nanoseconds);
  const last = others.at(-1);
  return `${last.engine} ${(last.nanoseconds / fastest.nanoseconds).toFixed(2)} ×`;
}
