// Installs the packages of a folder's lock file if they are missing or out of date: node scripts/install.mjs test/tfjs
import { spawnSync } from 'node:child_process';
import { existsSync, statSync, utimesSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** None of the packages needs its install scripts. */
const OPTIONS = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund'];

/** @throws Error where npm fails */
export function install(folder) {
  const pathOf = (name) => fileURLToPath(new URL(`../${folder}/${name}`, import.meta.url));
  const modified = (path) => (existsSync(path) ? statSync(path).mtimeMs : 0);
  const installed = pathOf('node_modules/.package-lock.json');
  if (modified(installed) >= modified(pathOf('package-lock.json'))) return;
  console.log(`installing into ${folder} …`);
  // Not npm ci, which rejects a lock file without the optional packages of other platforms.
  const { status } = spawnSync('npm', ['install', ...OPTIONS], {
    cwd: pathOf(''),
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (status !== 0) throw new Error(`npm install failed in ${folder}`);
  // npm does not update the file's time if there was nothing to do.
  utimesSync(installed, new Date(), new Date());
}

if (process.argv[1] === fileURLToPath(import.meta.url)) install(process.argv[2]);
