import { instantiateSync } from '@assemblyscript/loader';
import { stamp } from '../generated/stamp.js';
import type { LinearMemory } from './memory.js';

/** The exports of a module: kernels by name, and a few more of assembly/index.ts. */
export type Exports = Record<string, (...operands: number[]) => number>;

export interface Instance {
  exports: Exports;
  memory: LinearMemory;
}

/** Name of the custom section that tells which version of the sources a module was built from. */
const STAMP_SECTION = 'softmax-wasm';

/** @throws TypeError when the module was not built from this version of the sources. */
export function checkStamp(operation: string, module: WebAssembly.Module, expected: string): void {
  const [section] = WebAssembly.Module.customSections(module, STAMP_SECTION);
  const found = section === undefined ? 'no stamp' : new TextDecoder().decode(section);
  if (found !== `${stamp} ${expected}`) {
    throw new TypeError(`${operation}: module is stamped ${JSON.stringify(found)}, expected "${stamp} ${expected}"`);
  }
}

/** Instantiates a module on a memory of its own. */
export function instantiate(module: WebAssembly.Module): Instance {
  const memory = new WebAssembly.Memory({ initial: 1 });
  // The loader's own `exports` wrap every function; the instance's are the bare ones.
  const { instance } = instantiateSync(module, { env: { memory } });
  return { exports: instance.exports as unknown as Exports, memory };
}

/**
 * Whether relaxed multiply-add rounds once. On a processor without FMA it may legally round twice, and the kernels of
 * relaxed-simd would then miss their accuracy bounds. (1 + 2^-30)² keeps its 2^-60 only when fused.
 */
export function multiplyAddFuses(exports: Exports): boolean {
  const x = 1 + 2 ** -30;
  return exports.multiplyAddProbe!(x, x * x) === 2 ** -60;
}
