// npm run test:platforms: runs the packed package where a module has to be given or imports work otherwise: in a Cloudflare
// Worker (miniflare, which runs workerd) and in Jest with its own module loader.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const WORK = join(HERE, 'work');

function command(what, program, args, cwd, env = {}) {
  const { status, stdout, stderr } = spawnSync(program, args, {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  if (status !== 0) throw new Error(`${what} failed:\n${stdout}\n${stderr}`);
  return stdout.trim();
}

function install() {
  const lock = join(HERE, 'package-lock.json');
  const installed = join(HERE, 'node_modules/.package-lock.json');
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return;
  console.log('installing Jest and miniflare …');
  command('npm install', 'npm', ['install', '--no-save', '--no-audit', '--no-fund'], HERE);
}

function prepare() {
  rmSync(WORK, { recursive: true, force: true });
  mkdirSync(WORK);
  cpSync(join(HERE, 'fixtures'), WORK, { recursive: true });
  writeFileSync(join(WORK, 'package.json'), '{ "private": true, "type": "module" }');
  const packed = command(
    'npm pack',
    'npm',
    ['pack', '--json', '--pack-destination', WORK],
    join(ROOT, 'build/package'),
  );
  const [{ filename }] = JSON.parse(packed);
  command('npm install', 'npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', `./${filename}`], WORK);
}

/** What a worker answers, its library being the build of one file. */
async function answerOf(worker) {
  const { Miniflare } = await import('miniflare');
  const dist = join(WORK, 'node_modules/softmax-wasm/dist');
  const miniflare = new Miniflare({
    compatibilityDate: '2025-06-01',
    modules: [
      { type: 'ESModule', path: 'worker.mjs', contents: readFileSync(join(WORK, worker), 'utf8') },
      { type: 'ESModule', path: 'softmax-wasm.mjs', contents: readFileSync(join(dist, 'softmax-wasm.min.js'), 'utf8') },
      { type: 'CompiledWasm', path: 'simd128.wasm', contents: readFileSync(join(dist, 'simd128.wasm')) },
    ],
  });
  try {
    return await (await miniflare.dispatchFetch('http://localhost/')).json();
  } finally {
    await miniflare.dispose();
  }
}

function expect(what, actual, expected) {
  if (JSON.stringify(actual) !== JSON.stringify(expected)) {
    throw new Error(`${what}: got ${JSON.stringify(actual)}, expected ${JSON.stringify(expected)}`);
  }
  console.log(`${what}: passes`);
}

install();
prepare();
const p = ['0.659', '0.242', '0.099'];
expect('Cloudflare Worker, init({ module })', await answerOf('worker.mjs'), { backend: 'simd128', p });
const { warnings, ...without } = await answerOf('without.mjs');
expect('Cloudflare Worker, nothing given', without, { backend: 'reference', p });
expect('its warning names init({ module })', warnings.length === 1 && warnings[0].includes('init({ module })'), true);

const jest = join(HERE, 'node_modules/jest/bin/jest.js');
writeFileSync(join(WORK, 'jest.config.json'), '{ "testMatch": ["**/*.jest.mjs"], "transform": {}, "rootDir": "." }');
command('jest', process.execPath, [jest, '--config', 'jest.config.json'], WORK, {
  NODE_OPTIONS: '--experimental-vm-modules --no-warnings',
});
console.log('Jest with --experimental-vm-modules: passes');
