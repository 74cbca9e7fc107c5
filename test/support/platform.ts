/**
 * What the suites of operations need from their platform: files, realms, garbage collection and processes.
 */

import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createContext, runInContext } from 'node:vm';

const ROOT = new URL('../../', import.meta.url);

/** A file of the project as bytes, the path given from the project's folder. */
export async function readBytes(path: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await readFile(new URL(path, ROOT)));
}

export async function readText(path: string): Promise<string> {
  return readFile(new URL(path, ROOT), 'utf8');
}

/** Names of all files below a folder of the project, relative to it. */
export async function listFilesBelow(folder: string): Promise<string[]> {
  const names = await readdir(new URL(`${folder}/`, ROOT), { recursive: true });
  return names.map((name) => name.replaceAll('\\', '/')).sort();
}

/** Evaluates an expression in another realm, whose arrays are not instances of this realm's classes. */
export function evaluateElsewhere(expression: string): unknown {
  return runInContext(expression, createContext({}));
}

/** Collects garbage and lets the finalizers run; undefined where the engine does not offer it. */
export const collectGarbage: (() => Promise<void>) | undefined =
  typeof globalThis.gc === 'function'
    ? async () => {
        for (let i = 0; i < 3; i++) {
          globalThis.gc?.();
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      }
    : undefined;

/** Flags a process of this engine needs for relaxed SIMD. */
export const relaxedSimdFlags: readonly string[] =
  Number(process.versions.node.split('.')[0]) < 22 ? ['--experimental-wasm-relaxed-simd'] : [];

/** Whether the engine can be told not to use fused multiply-add: only an x86 has it as an extension. */
export const hasFmaFlag: boolean = process.arch === 'x64' && process.release.name === 'node';

/** Runs a program over the built package in a process of its own, and returns what it logged as lines. */
export async function runApart(
  program: string,
  flags: readonly string[] = [],
): Promise<{ stdout: string; stderr: string }> {
  const index = fileURLToPath(new URL('dist/index.js', ROOT));
  const source = program.replaceAll("'softmax-wasm'", JSON.stringify(new URL(`file://${index}`).href));
  return promisify(execFile)(process.execPath, [...flags, '--input-type=module', '--eval', source]);
}
