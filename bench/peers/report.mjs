// What a run prints.
import { formatTime } from '../table.mjs';
import { OURS } from './peers.mjs';

const COLUMNS = [23, 18, 10, 9, 9, 15, 15, 10];

const ratio = (value) => (value === undefined ? '–' : `${value.toPrecision(3)} ×`);

function printLine(cells) {
  const padded = cells.map((cell, i) => (i < 2 ? cell.padEnd(COLUMNS[i]) : cell.padStart(COLUMNS[i])));
  console.log(padded.join('').trimEnd());
}

export function printHeader(operation) {
  console.log('');
  printLine([operation, '', 'time', 'spread', 'G el/s', ...OURS.map((name) => `÷ ${name}`), 'error']);
}

/** The lines of one case, the case named in the first. */
export function printCase(label, lines) {
  for (const [i, { peer, shape, nanoseconds, spread, ratios, error, problem }] of lines.entries()) {
    const place = [i === 0 ? label : '', peer];
    if (problem) {
      printLine([...place, `  failed: ${problem.split('\n')[0]}`]);
      continue;
    }
    const speed = (shape[0] * shape[1]) / nanoseconds;
    const figures = [formatTime(nanoseconds), `${(100 * spread).toFixed(0)} %`, speed.toPrecision(3)];
    printLine([...place, ...figures, ...OURS.map((name) => ratio(ratios[name])), error.toExponential(1)]);
  }
}

export function printTargets(targets, node) {
  if (targets.length === 0) return;
  console.log(`\nTargets, Node ${node}: the peer's time over ours`);
  for (const { work, against, backend, target, measured } of targets) {
    const verdict = measured === undefined ? 'not measured' : measured >= target ? 'met' : 'MISSED';
    const figures = [`≥ ${target}`.padStart(7), (measured?.toPrecision(3) ?? '–').padStart(6)];
    console.log(`${work.padEnd(38)}${against.padEnd(34)}${backend.padEnd(13)}${figures.join('  ')}  ${verdict}`);
  }
}
