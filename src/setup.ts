import { openRuntime, readSettings, setCurrentRuntime, takeRuntime } from './runtime.js';
import type { BackendInfo, MemoryUsage, Settings } from './types.js';
import { compileCoreAhead, instantiateAhead, prepare } from './wasm/backend.js';
import { programs } from './wasm/kernel.js';

/** How many calls of init there were, and which of them has taken effect. */
let calls = 0;
let effective = 0;

/**
 * Sets up the module-level functions before their first call: compiles without blocking, and takes settings. It is
 * optional: without it, the first call compiles synchronously, with the default settings. Where the engine refuses to
 * do that, as Chromium did on a page's main thread up to about version 114, calls run in plain TypeScript until `init`
 * has finished. Of several calls, the last one takes effect. Tensors made earlier still belong to the set of kernels
 * that made them.
 *
 * @param settings the backend, a compiled module, and a limit of memory, {@link Settings}.
 * @returns which backend runs and why.
 * @throws TypeError, RangeError for wrong settings; Error when a backend named explicitly cannot run.
 *
 * @example
 * const { name } = await init({ backend: 'simd128' });
 * name; // 'simd128'
 */
export async function init(settings?: Settings): Promise<BackendInfo> {
  const read = readSettings('init', settings);
  const call = ++calls;
  if (read.module === undefined) await compileCoreAhead(read.backend ?? 'auto');
  const runtime = openRuntime(read, 'init', read.module && (await instantiateAhead(read.module)));
  await prepare(runtime.modules, programs);
  // An earlier call may take longer than a later one.
  if (call > effective) {
    effective = call;
    setCurrentRuntime(runtime);
  }
  return runtime.info;
}

/**
 * Which backend the module-level functions run on, why, and what was tried before it.
 *
 * @returns the backend's name, the reason, and the backends that failed with their errors.
 *
 * @example
 * backendInfo().tried; // []
 */
export function backendInfo(): BackendInfo {
  return takeRuntime().info;
}

/**
 * The linear memory that tensors hold.
 *
 * @returns their bytes, and how many tensors there are that are neither disposed nor reclaimed.
 *
 * @example
 * memoryUsage(); // { bytes: 0, tensors: 0 }
 */
export function memoryUsage(): MemoryUsage {
  return takeRuntime().usage;
}
