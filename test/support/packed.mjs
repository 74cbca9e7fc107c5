// What the tests of the packed package in other programs share.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const STAGED = fileURLToPath(new URL('../../build/package', import.meta.url));

/** Runs a program: what it prints, trimmed. @throws Error with what it printed when it fails */
export function command(program, args, cwd, env = {}) {
  const { status, stdout, stderr } = spawnSync(program, args, {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} failed:\n${stdout}\n${stderr}`);
  return stdout.trim();
}

/** Makes an empty project of this folder, with the package installed as npm would publish it. */
export function installPacked(folder) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  writeFileSync(`${folder}/package.json`, '{ "private": true, "type": "module" }');
  const [{ filename }] = JSON.parse(command('npm', ['pack', '--json', '--pack-destination', folder], STAGED));
  command('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', `./${filename}`], folder);
}
