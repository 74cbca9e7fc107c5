import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const execute = promisify(execFile);

/** A new project outside the checkout, with the packed package installed as a user would do it. */
export interface Project {
  /** Writes a file. */
  write(name: string, text: string): Promise<void>;
  /** Runs a program there and returns its output, trimmed. @throws Error with the output if it fails */
  run(command: string, ...args: string[]): Promise<string>;
  path(name: string): string;
  remove(): Promise<void>;
}

export async function installPackage(): Promise<Project> {
  const folder = await mkdtemp(join(tmpdir(), 'softmax-wasm-package-'));
  const path = (name: string) => join(folder, name);
  const write = async (name: string, text: string) => {
    await mkdir(dirname(path(name)), { recursive: true });
    await writeFile(path(name), text);
  };
  const run = async (command: string, ...args: string[]) => {
    const { stdout } = await execute(command, args, { cwd: folder });
    return stdout.trim();
  };
  await write('package.json', '{ "private": true }');
  const packed = await execute('npm', ['pack', '--json', '--pack-destination', folder], {
    cwd: join(ROOT, 'build/package'),
  });
  const [{ filename }] = JSON.parse(packed.stdout) as [{ filename: string }];
  await run('npm', 'install', '--prefer-offline', '--no-audit', '--no-fund', `./${filename}`);
  return { write, run, path, remove: () => rm(folder, { recursive: true }) };
}
