// npm run test:bundlers: packs the package, and has each bundler bundle a program that imports one operation, and one
// that imports all. Both must run, and the bundle of one operation must contain its kernel and almost nothing of
// others.
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { install } from '../../scripts/install.mjs';
import { command, installPacked } from '../support/packed.mjs';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const WORK = join(HERE, 'work');
/** What the programs print. */
const EXPECTED = { softmax: '0.659 0.242 0.099', everything: 'function 1 ' };

/** A function of a kernel's own file, or the one that is exported, by its name in src/generated/functions.ts. */
const FUNCTION = /const (?:entry|kernels_(?!core)[a-z]+)_([a-zA-Z]+)(?:_\w+)?_f32 = \['([^']+)'/g;
/** Shorter texts may also occur in other functions. */
const MARKER_LENGTH = 100;

/** Texts of functions that only one kernel has, by which a bundle shows that it holds the kernel. */
function markers() {
  const code = readFileSync(join(WORK, 'node_modules/softmax-wasm/dist/generated/functions.js'), 'utf8');
  const texts = Array.from(code.matchAll(FUNCTION), ([, kernel, text]) => ({ kernel, text }));
  return texts.filter(({ text }) => text.length >= MARKER_LENGTH);
}

/**
 * Characters of functions of another kernel that a bundle may hold: SWC, the minifier of Parcel and Next, leaves some of the
 * unused constants that only others refer to, several levels deep.
 */
const MOST_UNUSED = 2500;

/** The kernels of which a bundle contains more than this many characters, or all of them. */
function kernelsIn(code, most = 0) {
  const found = MARKERS.filter(({ text }) => code === undefined || code.includes(text));
  const charactersOf = (name) =>
    found.filter(({ kernel }) => kernel === name).reduce((sum, { text }) => sum + text.length, 0);
  const names = [...new Set(found.map(({ kernel }) => kernel))];
  return `${names.filter((name) => charactersOf(name) > most).join(', ')};`;
}

function check(name, actual, expected) {
  if (!actual.startsWith(expected)) throw new Error(`${name}: got ${actual}, expected ${expected}`);
}

/** Bundles, runs and checks both programs. Returns the figures to print. */
async function tryBundler([name, bundle]) {
  const start = Date.now();
  const sizes = [];
  for (const program of Object.keys(EXPECTED)) {
    const code = await bundle(join(WORK, `${program}.mjs`), WORK);
    const file = join(WORK, `${name}-${program}.mjs`);
    writeFileSync(file, code);
    check(`${name}, ${program}`, command(process.execPath, [file], WORK), EXPECTED[program]);
    const isOne = program === 'softmax';
    const found = kernelsIn(code, isOne ? MOST_UNUSED : 0);
    check(`${name}, ${program}: kernels`, found, isOne ? 'softmax;' : kernelsIn());
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
  check('next: kernels', kernelsIn(code, MOST_UNUSED), 'softmax;');
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
