import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { ElementaryName } from './bounds.js';

/** The elementary functions of assembly/checks, compiled by themselves for one of the builds. */
export interface Elementary {
  /** y = f(x) over blocks: fill x, call run(name, bytes of an element), read y. `count` is of whole vectors. */
  readonly x: ArrayBuffer;
  run(name: ElementaryName, elementBytes: 4 | 8, count?: number): ArrayBuffer;
}

/** The bytes of a block of inputs. */
export const BLOCK_BYTES = 2 ** 22;
const X = 2 ** 16;

/** Whether a file is newer than its sources and the compiler. */
function isFresh(file: string): boolean {
  const modified = (path: string) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const sources = readdirSync('assembly', { recursive: true }).map((name) => `assembly/${name}`);
  const others = [fileURLToPath(import.meta.url), 'node_modules/.package-lock.json'];
  return modified(file) > Math.max(...[...sources, ...others].map(modified));
}

/** Compiles the functions with their own options, because asconfig.json would add all kernels. */
function compile(build: 'simd128' | 'relaxed-simd'): Uint8Array {
  const asc = createRequire(import.meta.url).resolve('assemblyscript/bin/asc.js');
  const file = `build/elementary-${build}.wasm`;
  if (isFresh(file)) return readFileSync(file);
  const memory = ['--runtime', 'stub', '--importMemory', '--noExportMemory'];
  const features = ['simd', ...(build === 'relaxed-simd' ? [build] : [])].flatMap((name) => ['--enable', name]);
  const output = ['--optimizeLevel', '3', '--noAssert', '--outFile', file];
  const entry = ['assembly/checks/elementary.ts', '--config', 'none'];
  execFileSync(process.execPath, [asc, ...entry, ...memory, ...features, ...output]);
  return readFileSync(file);
}

export function openElementary(build: 'simd128' | 'relaxed-simd'): Elementary {
  const memory = new WebAssembly.Memory({ initial: (X + 2 * BLOCK_BYTES) / 65536 });
  const module = new WebAssembly.Module(compile(build) as BufferSource);
  const exports = new WebAssembly.Instance(module, { env: { memory } }).exports as Record<
    string,
    (...operands: number[]) => number
  >;
  const scratch = Math.ceil(exports.staticEnd!() / 64) * 64;
  return {
    x: memory.buffer,
    run(name, elementBytes, count = BLOCK_BYTES / elementBytes) {
      exports[`${name}_f${elementBytes * 8}`]!(X, X + BLOCK_BYTES, count, scratch);
      return memory.buffer;
    },
  };
}

/** The addresses of the inputs and the results. */
export const INPUTS = X;
export const RESULTS = X + BLOCK_BYTES;
