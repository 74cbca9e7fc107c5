import { instantiate, instantiateSync } from '@assemblyscript/loader';
import { stamp } from '../generated/stamp.js';
import type { Program } from './link.js';

/** The exports of a module: a kernel by its name, or the few functions of assembly/kernels/core and half. */
export type Exports = Record<string, (...operands: number[]) => number>;

/** The modules of a backend on one memory. */
export interface Modules {
  /** The exports of a program's module, which is linked and compiled at its first use. */
  exportsOf(program: Program): Exports;
}

/** The name of the custom section that says which version of the sources a module was built from. */
const STAMP_SECTION = 'softmax-wasm';

/** @throws TypeError when the module was not built from this version of the sources. */
export function checkStamp(operation: string, module: WebAssembly.Module, expected: string): void {
  const [section] = WebAssembly.Module.customSections(module, STAMP_SECTION);
  const found = section === undefined ? 'no stamp' : new TextDecoder().decode(section);
  if (found !== `${stamp} ${expected}`) {
    throw new TypeError(`${operation}: module is stamped ${JSON.stringify(found)}, expected "${stamp} ${expected}"`);
  }
}

/**
 * Instantiates a module on a memory, and returns its exports: those of the instance, because the loader's own `exports`
 * wrap every function.
 */
export function exportsOn(memory: WebAssembly.Memory, module: WebAssembly.Module): Exports {
  return instantiateSync(module, { env: { memory } }).instance.exports as unknown as Exports;
}

/** The same without blocking. */
export async function exportsOnAhead(memory: WebAssembly.Memory, module: WebAssembly.Module): Promise<Exports> {
  return (await instantiate(module, { env: { memory } })).instance.exports as unknown as Exports;
}

/**
 * Whether relaxed multiply-add rounds once. On a processor without FMA it may legally round twice, and the kernels of
 * relaxed-simd would then miss their accuracy bounds. (1 + 2^-30)² keeps its 2^-60 only when fused.
 */
export function multiplyAddFuses(exports: Exports): boolean {
  const x = 1 + 2 ** -30;
  return exports.multiplyAddProbe!(x, x * x) === 2 ** -60;
}
