// Makes a fresh clone ready: installs and builds what is missing or out of date. Runs before `npm start`, `npm test`,
// `npm run check`, `npm run site` and every script that begins with test:, bench or site:, so it needs nothing but Node
// itself, and does nothing if everything is up to date.
import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MODULE_SCRIPTS } from './module-sources.mjs';

/** Everything the build reads; package.json for the version that the modules are stamped with. */
const SOURCES = [
  'assembly',
  'src',
  'asconfig.json',
  'tsconfig.json',
  'package.json',
  'scripts/build.mjs',
  'scripts/bundle.mjs',
  'scripts/stage.mjs',
  ...MODULE_SCRIPTS,
];
const GENERATED = 'src/generated';
/** One file of each thing the build writes. */
const BUILT = [
  'src/generated/stamp.ts',
  'build/debug.wasm',
  'dist/index.js',
  'dist/relaxed-simd.wasm',
  'dist/bare.js',
  'dist/node/index.js',
  'build/package/package.json',
];

process.chdir(resolve(dirname(fileURLToPath(import.meta.url)), '..'));

const modified = (path) => (existsSync(path) ? statSync(path).mtimeMs : 0);

/** The time of the latest change below a path, generated files excluded. */
function lastChange(path) {
  if (path === GENERATED) return 0;
  if (!statSync(path).isDirectory()) return modified(path);
  return Math.max(...readdirSync(path).map((name) => lastChange(`${path}/${name}`)));
}

function step(what, command, ...args) {
  const start = Date.now();
  console.log(`set-up: ${what} …`);
  const { status } = spawnSync(command, args, { stdio: 'inherit' });
  if (status !== 0) {
    console.error(`set-up: ${what} failed`);
    process.exit(status ?? 1);
  }
  console.log(`set-up: done in ${((Date.now() - start) / 1000).toFixed(1)} s`);
}

/** Runs npm: the same one that started this script, if npm did. */
function npm(what, ...args) {
  const own = process.env.npm_execpath;
  if (own?.endsWith('.js')) step(what, process.execPath, own, ...args);
  else step(what, process.platform === 'win32' ? 'npm.cmd' : 'npm', ...args);
}

/** A linked node_modules is another checkout's: npm would empty it. */
const isLinked = lstatSync('node_modules', { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
if (!isLinked && modified(join('node_modules', '.package-lock.json')) < modified('package-lock.json')) {
  npm('installing the development tools and building', 'ci', '--include=dev', '--no-audit', '--no-fund');
}
if (Math.min(...BUILT.map(modified)) < Math.max(...SOURCES.map(lastChange))) {
  step('building', process.execPath, 'scripts/build.mjs');
}
