import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = new URL('../../', import.meta.url);
const FOLDER = new URL('examples/', ROOT);

/** The programs in examples/, by file name. */
export const examples: readonly string[] = readdirSync(FOLDER).filter((name) => name.endsWith('.mjs'));

/** Runs an example with --quick, and returns what it prints. @throws Error if it fails */
export async function runExample(name: string): Promise<string> {
  const path = fileURLToPath(new URL(name, FOLDER));
  const { stdout } = await promisify(execFile)(process.execPath, [path, '--quick'], { timeout: 60_000 });
  return stdout;
}

/** The blocks of JavaScript in README.md, each with its first line. */
export const readmePrograms: readonly [string, string][] = [
  ...readFileSync(new URL('README.md', ROOT), 'utf8').matchAll(/```js\n(.*)\n([\s\S]*?)```/g),
].map(([, first, rest]) => [first!, `${first}\n${rest}`]);

/** Runs a program that imports the package by its name, and returns what it prints. */
export async function runProgram(text: string): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', text], {
    cwd: fileURLToPath(ROOT),
  });
  return stdout;
}
