import { type BackendName, createKernels, type Kernels, type Settings } from '../../src/index.js';
import { readBytes } from './platform.js';

/** A set of kernels under test. */
export interface TestSet {
  /** The backend, or `debug` for the simd128 build with AssemblyScript's asserts on. */
  readonly name: BackendName | 'debug';
  readonly backend: BackendName;
  /** Makes another set of the same backend. */
  readonly create: (settings?: Omit<Settings, 'backend' | 'module'>) => Kernels;
  readonly kernels: Kernels;
}

const debugModule = await WebAssembly.compile(await readBytes('build/debug.wasm'));

function open(
  name: TestSet['name'],
  backend: BackendName,
  choice: Settings,
): TestSet | { name: string; error: string } {
  const create = (settings?: Settings) => createKernels({ ...settings, ...choice });
  try {
    return { name, backend, create, kernels: create() };
  } catch (error) {
    return { name, error: String(error) };
  }
}

const opened = [
  open('reference', 'reference', { backend: 'reference' }),
  open('simd128', 'simd128', { backend: 'simd128' }),
  open('relaxed-simd', 'relaxed-simd', { backend: 'relaxed-simd' }),
  open('debug', 'simd128', { module: debugModule }),
];

/** All sets that run here. */
export const sets: readonly TestSet[] = opened.filter((set) => 'kernels' in set);

/** The sets that are WebAssembly. */
export const wasmSets: readonly TestSet[] = sets.filter((set) => set.backend !== 'reference');

/** The builds that run here. */
export const buildNames = wasmSets
  .filter(({ name }) => name !== 'debug')
  .map(({ name }) => name as 'simd128' | 'relaxed-simd');

/** The sets that cannot run here, and why: relaxed SIMD if the engine or the processor lacks it. */
export const missing: readonly { name: string; error: string }[] = opened.filter((set) => 'error' in set);

/** The set of this name. @throws Error where it does not run */
export function setOf(name: TestSet['name']): TestSet {
  const found = sets.find((set) => set.name === name);
  if (found === undefined) throw new Error(`${name} does not run here`);
  return found;
}

export { debugModule };
