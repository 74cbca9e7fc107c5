// The whole build: modules, then types and code in dist/, then what is published.
import { spawnSync } from 'node:child_process';
import { copyFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';

/** Runs a program, and exits if it fails: it has reported why. */
function run(...command) {
  const { status } = spawnSync(process.execPath, command, { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

run('scripts/build-wasm.mjs');
rmSync('dist', { recursive: true, force: true });
run(createRequire(import.meta.url).resolve('typescript/bin/tsc'));
for (const name of ['simd128', 'relaxed-simd']) copyFileSync(`build/${name}.wasm`, `dist/${name}.wasm`);
run('scripts/bundle.mjs');
run('scripts/stage.mjs');
