// npm run test:platforms: runs the packed package where a module has to be passed or imports work differently: in a
// Cloudflare Worker (miniflare, which runs workerd) and in Jest with its own module loader.
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { install } from '../../scripts/install.mjs';
import { command, installPacked } from '../support/packed.mjs';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const WORK = join(HERE, 'work');

/** The answer of a worker that uses the build of one file. */
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

install('test/platforms');
installPacked(WORK);
cpSync(join(HERE, 'fixtures'), WORK, { recursive: true });
const p = ['0.659', '0.242', '0.099'];
expect('Cloudflare Worker, init({ module })', await answerOf('worker.mjs'), { backend: 'simd128', p });
const { warnings, ...without } = await answerOf('without.mjs');
expect('Cloudflare Worker, nothing given', without, { backend: 'reference', p });
expect('its warning names init({ module })', warnings.length === 1 && warnings[0].includes('init({ module })'), true);

const jest = join(HERE, 'node_modules/jest/bin/jest.js');
writeFileSync(join(WORK, 'jest.config.json'), '{ "testMatch": ["**/*.jest.mjs"], "transform": {}, "rootDir": "." }');
command(process.execPath, [jest, '--config', 'jest.config.json'], WORK, {
  NODE_OPTIONS: '--experimental-vm-modules --no-warnings',
});
console.log('Jest with --experimental-vm-modules: passes');
