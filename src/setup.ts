import { openRuntime, readSettings, setCurrentRuntime, takeRuntime } from './runtime.js';
import type { BackendInfo, MemoryUsage, Settings } from './types.js';
import { compileCoreAhead, instantiateAhead, prepare } from './wasm/backend.js';
import { programs } from './wasm/kernel.js';

/**
 * Sets the module-level functions up ahead of their first call: compiles without blocking, and takes settings.
 * Optional: without it the first call does the same, synchronously, with none. Where the engine refuses that, as
 * Chromium did on a page's main thread up to about version 114, calls run in plain TypeScript until this is done.
 * Tensors made before keep working with the set they were made by.
 *
 * @returns which backend runs and why.
 * @throws TypeError, RangeError for wrong settings; Error when a backend named explicitly cannot run.
 *
 * @example
 * const { name } = await init({ backend: 'simd128' });
 * name; // 'simd128'
 */
export async function init(settings?: Settings): Promise<BackendInfo> {
  const read = readSettings('init', settings);
  if (read.module === undefined) await compileCoreAhead(read.backend ?? 'auto');
  const runtime = openRuntime(read, 'init', read.module && (await instantiateAhead(read.module)));
  await prepare(runtime.modules, programs);
  setCurrentRuntime(runtime);
  return runtime.info;
}

/**
 * Which backend the module-level functions run on, why, and what was tried before it.
 *
 * @example
 * backendInfo().tried; // []
 */
export function backendInfo(): BackendInfo {
  return takeRuntime().info;
}

/**
 * What tensors hold of linear memory: their bytes, and how many there are that are neither disposed nor reclaimed.
 *
 * @example
 * memoryUsage(); // { bytes: 0, tensors: 0 }
 */
export function memoryUsage(): MemoryUsage {
  return takeRuntime().usage;
}
