// Installs what the lock file of a folder says, where it is missing or out of date: node scripts/install.mjs test/tfjs
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export function install(folder) {
  const pathOf = (name) => fileURLToPath(new URL(`../${folder}/${name}`, import.meta.url));
  const modified = (name) => (existsSync(pathOf(name)) ? statSync(pathOf(name)).mtimeMs : 0);
  if (modified('node_modules/.package-lock.json') >= modified('package-lock.json')) return;
  console.log(`installing into ${folder} …`);
  const options = ['--ignore-scripts', '--no-audit', '--no-fund'];
  const { status } = spawnSync('npm', ['ci', ...options], { cwd: pathOf(''), stdio: 'inherit' });
  if (status !== 0) throw new Error('npm ci failed');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) install(process.argv[2]);
