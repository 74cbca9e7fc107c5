// The tables of speed in docs/tensorflow.md, from runs of `npm run bench:tfjs` in several versions of Node.
import { MOST_SPREAD, ratioSpread } from '../bench/rounds.mjs';
import { formatRatio, formatTime } from '../bench/table.mjs';

/** A table for each backend: each case with TensorFlow.js alone and with softmax-wasm, with columns for each Node. */
export function tfjsTables(...reports) {
  const backends = [...new Set(reports.flatMap(({ results }) => results.map(({ backend }) => backend)))];
  const { machine, date } = reports[0];
  const where = `${machine.cpu}, one core, ${machine.platform}, ${date.slice(0, 10)}`;
  return [
    ...backends.map((backend) => backendTable(backend, reports)),
    'Medians of several pairs of processes, whose rounds take turns; a range is the interquartile range of the ratios, ' +
      `shown where it is wider than ${100 * MOST_SPREAD} %. ${where}. \`npm run bench:tfjs\``,
  ].join('\n\n');
}

function backendTable(backend, reports) {
  const runs = reports.map(({ machine, results }) => ({
    node: `Node ${Number.parseInt(machine.node, 10)}`,
    lines: results.filter((line) => line.backend === backend),
  }));
  const cases = [...new Set(runs.flatMap(({ lines }) => lines.map((line) => line.case)))];
  const head = [backend, ...runs.flatMap(({ node }) => [`${node}: tfjs`, 'with softmax-wasm', 'ratio'])];
  const rows = cases.map((name) => [name, ...runs.flatMap(({ lines }) => cellsOf(lines, name))]);
  const alignment = head.map((_, i) => (i === 0 ? '---' : '---:'));
  return [head, alignment, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function cellsOf(lines, name) {
  const line = lines.find((one) => one.case === name);
  if (line === undefined) return ['', '', ''];
  const { alone, registered, ratio, from, to } = line;
  // Where the pairs disagree, no single figure is meaningful.
  if (!(ratioSpread(line) <= MOST_SPREAD)) return ['', '', `${formatRatio(from)} to ${formatRatio(to)} ×`];
  return [formatTime(alone), formatTime(registered), `${formatRatio(ratio)} ×`];
}
