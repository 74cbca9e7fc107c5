// Installs what is in this folder's lock file, where it is missing or out of date: before the tests, and by itself.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const modified = (name) => {
  const path = fileURLToPath(new URL(name, import.meta.url));
  return existsSync(path) ? statSync(path).mtimeMs : 0;
};

export default function install() {
  if (modified('node_modules/.package-lock.json') >= modified('package-lock.json')) return;
  console.log('installing TensorFlow.js …');
  const options = ['--ignore-scripts', '--no-audit', '--no-fund'];
  const { status } = spawnSync('npm', ['ci', ...options], {
    cwd: fileURLToPath(new URL('.', import.meta.url)),
    stdio: 'inherit',
  });
  if (status !== 0) throw new Error('npm ci failed');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) install();
