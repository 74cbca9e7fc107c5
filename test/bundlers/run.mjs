// npm run test:bundlers: packs the package, and has each bundler make a program of it that imports one operation, and one
// that imports all. Both must run, and the one operation must bring its own family of kernels and no other's.
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { install } from '../../scripts/install.mjs';
import { command, installPacked } from '../support/packed.mjs';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const WORK = join(HERE, 'work');
/** What the programs print. */
const EXPECTED = { softmax: '0.659 0.242 0.099', everything: 'function 1 ' };

const MARKER_LENGTH = 100;

/** A piece of each family's text that no other has, by which a bundle shows that it holds the family. */
function markers() {
  const folder = join(WORK, 'node_modules/softmax-wasm/dist/generated');
  const texts = readdirSync(folder)
    .filter((file) => file.endsWith('.js'))
    .map((file) => ({
      family: file.slice(0, -3),
      text: readFileSync(join(folder, file), 'utf8').match(/text = '([^']+)'/)?.[1],
    }))
    .filter(({ text }) => text !== undefined);
  return texts.map(({ family, text }) => {
    const others = texts.filter((one) => one.family !== family);
    for (let at = 0; at + MARKER_LENGTH <= text.length; at += MARKER_LENGTH) {
      const marker = text.slice(at, at + MARKER_LENGTH);
      if (!others.some((other) => other.text.includes(marker))) return { family, marker };
    }
    throw new Error(`${family}: all of its text is in other families too`);
  });
}

function familiesIn(code) {
  return MARKERS.filter(({ marker }) => code.includes(marker)).map(({ family }) => family);
}

function check(name, actual, expected) {
  if (!actual.startsWith(expected)) throw new Error(`${name}: got ${actual}, expected ${expected}`);
}

/** Bundles, runs and judges both programs: what is printed of them. */
async function tryBundler([name, bundle]) {
  const start = Date.now();
  const sizes = [];
  for (const program of Object.keys(EXPECTED)) {
    const code = await bundle(join(WORK, `${program}.mjs`), WORK);
    const file = join(WORK, `${name}-${program}.mjs`);
    writeFileSync(file, code);
    check(`${name}, ${program}`, command(process.execPath, [file], WORK), EXPECTED[program]);
    const expected = program === 'softmax' ? 'core, softmax' : MARKERS.map(({ family }) => family).join(', ');
    check(`${name}, ${program}: families`, familiesIn(code).join(', '), expected);
    sizes.push(gzipSync(code).length / 1000);
  }
  return { name, version: versionOf(name), sizes, seconds: (Date.now() - start) / 1000 };
}

const versionOf = (name) => JSON.parse(readFileSync(join(HERE, 'node_modules', name, 'package.json'), 'utf8')).version;

/** Next renders the page on the server as it builds it, and again in the browser. */
async function tryNext() {
  const start = Date.now();
  await runTool('next', ['build'], WORK);
  const page = readFileSync(join(WORK, '.next/server/app/index.html'), 'utf8').replaceAll(/<!--.*?-->/g, '');
  for (const side of ['server', 'client']) {
    if (!page.includes(`${side} ${EXPECTED.softmax}`))
      throw new Error(`next: the page lacks what the ${side} computes`);
  }
  const code = codeIn(join(WORK, '.next/static'));
  check('next: families', familiesIn(code).join(', '), 'core, softmax');
  return { name: 'next', version: versionOf('next'), sizes: [], seconds: (Date.now() - start) / 1000 };
}

install('test/bundlers');
const { bundlers, codeIn, runTool } = await import('./bundlers.mjs');
installPacked(WORK);
cpSync(join(HERE, 'fixtures'), WORK, { recursive: true });
const MARKERS = markers();
const wanted = process.argv.slice(2);
const columns = (...cells) => cells.map((cell, i) => (i < 2 ? cell.padEnd(12) : cell.padStart(14))).join('');
console.log(columns('bundler', 'version', 'softmax', 'everything', 'took'));
let failures = 0;
for (const entry of [...Object.entries(bundlers), ['next']]) {
  const [name] = entry;
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  try {
    const { version, sizes, seconds } = await (name === 'next' ? tryNext() : tryBundler(entry));
    const [one = '', all = ''] = sizes.map((size) => `${size.toFixed(1)} KB`);
    console.log(columns(name, version, one, all, `${seconds.toFixed(1)} s`));
  } catch (error) {
    failures++;
    console.error(`${name}: ${error.message}\n${error.stderr ?? ''}`);
  }
}
process.exitCode = failures > 0 ? 1 : 0;
