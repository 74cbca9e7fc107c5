// Writes the speed table of README.md from the figures of a run:
//     npm run bench -- --json bench/results/speed.json && node scripts/readme-speed.mjs bench/results/speed.json
import { readFileSync, writeFileSync } from 'node:fs';
import { formatTime } from '../bench/table.mjs';

const BEGIN = '<!-- speed: written by scripts/readme-speed.mjs -->';
const END = '<!-- /speed -->';
const PLAIN = 'plain JavaScript';
const BACKENDS = ['simd128', 'relaxed-simd'];
/** What the README shows of each operation; the run has more. */
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

const [file = 'bench/results/speed.json'] = process.argv.slice(2);
const { machine, date, results } = JSON.parse(readFileSync(file, 'utf8'));

function find(operation, label, contender) {
  const found = results.find(
    (line) => line.operation === operation && line.case === label && line.contender === contender,
  );
  if (found === undefined) throw new Error(`${file} has no ${operation} ${label} of ${contender}: run all of it`);
  return found;
}

const rows = Object.entries(SHOWN).flatMap(([operation, labels]) =>
  labels.map((label) => {
    const ours = BACKENDS.map((backend) => {
      const { nanoseconds, ratio } = find(operation, label, backend);
      return `${formatTime(nanoseconds)} (${ratio < 9.95 ? ratio.toFixed(1) : ratio.toFixed(0)} ×)`;
    });
    return [`${operation} ${label}`, formatTime(find(operation, label, PLAIN).nanoseconds), ...ours];
  }),
);
const table = [['float32', PLAIN, ...BACKENDS], ['---', '---:', '---:', '---:'], ...rows]
  .map((cells) => `| ${cells.join(' | ')} |`)
  .join('\n');
const flag = Number.parseInt(machine.node, 10) < 22 ? ' (relaxed SIMD behind its flag)' : '';
const caption = `Time of a call, the best of several rounds, and how many times faster than plain JavaScript. ${machine.cpu}, one core, Node ${machine.node}${flag}, ${date.slice(0, 10)}.`;

const readme = readFileSync('README.md', 'utf8');
const [before, rest] = readme.split(BEGIN);
const after = rest?.split(END)[1];
if (after === undefined) throw new Error(`README.md has no ${BEGIN} … ${END}`);
writeFileSync('README.md', `${before}${BEGIN}\n${table}\n\n${caption}\n${END}${after}`);
console.log(`README.md: ${rows.length} lines from ${file}`);
