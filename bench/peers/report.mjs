// Prints the results of a run.
import { formatTime } from '../table.mjs';
import { OURS } from './peers.mjs';

const COLUMNS = [26, 18, 10, 9, 9, 15, 15, 10];

const ratio = (value) => (value === undefined ? '–' : `${value.toPrecision(3)} ×`);

function printLine(cells) {
  const padded = cells.map((cell, i) => (i < 2 ? cell.padEnd(COLUMNS[i]) : cell.padStart(COLUMNS[i])));
  console.log(padded.join('').trimEnd());
}

export function printHeader(operation) {
  console.log('');
  printLine([operation, '', 'time', 'spread', 'G el/s', ...OURS.map((name) => `÷ ${name}`), 'error']);
}

/** Prints the lines of one case; the first names the case. */
export function printCase(label, lines) {
  for (const [i, { peer, elements, nanoseconds, spread, ratios, error, problem }] of lines.entries()) {
    const place = [i === 0 ? label : '', peer];
    if (problem) {
      printLine([...place, `  failed: ${problem.split('\n')[0]}`]);
      continue;
    }
    const speed = elements / nanoseconds;
    const figures = [formatTime(nanoseconds), `${(100 * spread).toFixed(0)} %`, speed.toPrecision(3)];
    printLine([...place, ...figures, ...OURS.map((name) => ratio(ratios[name])), error.toExponential(1)]);
  }
}

export function printTargets(targets, node) {
  console.log(`\nTargets, Node ${node}: how many times the peer's time is ours, for an element`);
  for (const { work, against, backend, relation, target, measured, met } of targets) {
    const verdict = met === undefined ? 'not measured' : met ? 'met' : 'MISSED';
    const figures = [
      `${relation} ${Number(target.toPrecision(3))}`.padStart(7),
      (measured?.toPrecision(3) ?? '–').padStart(6),
    ];
    console.log(`${work.padEnd(38)}${against.padEnd(38)}${backend.padEnd(13)}${figures.join('  ')}  ${verdict}`);
  }
}
