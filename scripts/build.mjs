// The whole build: modules, then types and code in dist/.
import { execFileSync } from 'node:child_process';
import { copyFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';

const run = (...command) => execFileSync(process.execPath, command, { stdio: 'inherit' });

rmSync('dist', { recursive: true, force: true });
run('scripts/build-wasm.mjs');
run(createRequire(import.meta.url).resolve('typescript/bin/tsc'));
for (const name of ['simd128', 'relaxed-simd']) copyFileSync(`build/${name}.wasm`, `dist/${name}.wasm`);
