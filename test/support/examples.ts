import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const FOLDER = new URL('../../examples/', import.meta.url);

/** The programs in examples/, by file name. */
export const examples: readonly string[] = readdirSync(FOLDER).filter((name) => name.endsWith('.mjs'));

/** Runs an example the short way and gives what it prints. @throws Error when it ends with a failure. */
export async function runExample(name: string): Promise<string> {
  const path = fileURLToPath(new URL(name, FOLDER));
  const { stdout } = await promisify(execFile)(process.execPath, [path, '--quick'], { timeout: 60_000 });
  return stdout;
}
