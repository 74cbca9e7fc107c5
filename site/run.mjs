// npm run site: builds the site, with the API's pages, and serves it on the loopback address; npm run site:build only writes
// site/dist/.

import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const ROOT = fileURLToPath(new URL('../', import.meta.url));

function run(program, args, cwd) {
  const { status } = spawnSync(program, args, { cwd, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

const installed = join(HERE, 'node_modules/.package-lock.json');
if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(join(HERE, 'package-lock.json')).mtimeMs) {
  run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], HERE);
}
run(process.execPath, ['scripts/typedoc/run.mjs'], ROOT);
const { build, preview } = await import('vite');
const configFile = join(HERE, 'vite.config.mjs');
await build({ configFile });
cpSync(join(ROOT, 'build/docs'), join(HERE, 'dist/api'), { recursive: true });
if (process.argv.includes('--serve')) (await preview({ configFile })).printUrls();
