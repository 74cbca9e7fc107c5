// npm run site: builds the site, including the API's pages, and serves it on the loopback address. npm run site:build
// only writes site/dist/.
import { spawnSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { install } from '../scripts/install.mjs';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const ROOT = fileURLToPath(new URL('../', import.meta.url));

install('site');
const { status } = spawnSync(process.execPath, ['scripts/typedoc/run.mjs'], { cwd: ROOT, stdio: 'inherit' });
if (status !== 0) process.exit(status ?? 1);
const { build, preview } = await import('vite');
const configFile = join(HERE, 'vite.config.mjs');
await build({ configFile });
cpSync(join(ROOT, 'build/docs'), join(HERE, 'dist/api'), { recursive: true });
if (process.argv.includes('--serve')) (await preview({ configFile })).printUrls();
