import { embedded } from './embedded.js';
import { type LinearMemory, PlainMemory } from './memory.js';
import { checkStamp, type Exports, instantiate, multiplyAddFuses } from './wasm.js';

export type BackendName = 'relaxed-simd' | 'simd128' | 'reference';

/** Which backend runs, why, and what was tried before it. */
export interface BackendInfo {
  name: BackendName;
  reason: string;
  tried: { name: BackendName; error: string }[];
}

/** A backend ready to run; `exports` is undefined for the reference, whose kernels are plain functions. */
export interface Backend extends BackendInfo {
  exports: Exports | undefined;
  memory: LinearMemory;
}

export type ModuleBackend = Exclude<BackendName, 'reference'>;

const ORDER: readonly BackendName[] = ['relaxed-simd', 'simd128', 'reference'];
const REASONS: Record<BackendName, string> = {
  'relaxed-simd': 'relaxed SIMD is supported and its multiply-add fuses',
  simd128: 'fixed-width SIMD is supported',
  reference: 'plain TypeScript runs everywhere',
};

/** Compiled modules, shared by all sets of kernels. */
const compiled = new Map<ModuleBackend, WebAssembly.Module>();

export function isBackendName(value: unknown): value is BackendName {
  return ORDER.includes(value as BackendName);
}

function compile(name: ModuleBackend): WebAssembly.Module {
  let module = compiled.get(name);
  if (module === undefined) {
    module = new WebAssembly.Module(embedded(name));
    compiled.set(name, module);
  }
  return module;
}

/** Compiles ahead what openBackend will want, without blocking. Failures show again, and are reported, there. */
export async function compileAhead(name: BackendName | 'auto'): Promise<void> {
  const names = name === 'auto' ? (['relaxed-simd', 'simd128'] as const) : name === 'reference' ? [] : [name];
  for (const candidate of names) {
    if (compiled.has(candidate)) return;
    try {
      compiled.set(candidate, await WebAssembly.compile(embedded(candidate)));
      return;
    } catch {
      // The next one, then.
    }
  }
}

function open(operation: string, name: BackendName, module?: WebAssembly.Module): Pick<Backend, 'exports' | 'memory'> {
  if (name === 'reference') return { exports: undefined, memory: referenceMemory() };
  if (typeof WebAssembly === 'undefined') throw new Error('there is no WebAssembly here');
  if (module !== undefined) checkStamp(operation, module, name);
  const instance = instantiate(module ?? compile(name));
  if (name === 'relaxed-simd' && !multiplyAddFuses(instance.exports)) {
    throw new Error('relaxed multiply-add does not fuse on this processor');
  }
  return instance;
}

function referenceMemory(): LinearMemory {
  return typeof WebAssembly === 'undefined' ? new PlainMemory() : new WebAssembly.Memory({ initial: 1 });
}

/**
 * The named backend, or with 'auto' the first that runs. A module given by the caller belongs to the named backend;
 * with 'auto' the stamp tells to which.
 * @throws Error when a backend named explicitly cannot run, TypeError for a module of another version.
 */
export function openBackend(operation: string, wanted: BackendName | 'auto', module?: WebAssembly.Module): Backend {
  if (module !== undefined) return openModule(operation, wanted, module);
  const tried: BackendInfo['tried'] = [];
  for (const name of wanted === 'auto' ? ORDER : [wanted]) {
    try {
      const reason = wanted === 'auto' ? REASONS[name] : 'named explicitly';
      return { name, reason, tried, ...open(operation, name) };
    } catch (error) {
      if (wanted !== 'auto')
        throw new Error(`${operation}: backend ${name} cannot run: ${message(error)}`, { cause: error });
      tried.push({ name, error: message(error) });
    }
  }
  throw new Error(`${operation}: no backend runs`);
}

function openModule(operation: string, wanted: BackendName | 'auto', module: WebAssembly.Module): Backend {
  if (wanted === 'reference') throw new TypeError(`${operation}: backend "reference" takes no module`);
  const isRelaxed = WebAssembly.Module.customSections(module, 'softmax-wasm').some((section) =>
    new TextDecoder().decode(section).endsWith(' relaxed-simd'),
  );
  const name = wanted === 'auto' ? (isRelaxed ? 'relaxed-simd' : 'simd128') : wanted;
  return { name, reason: 'its module was given', tried: [], ...open(operation, name, module) };
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
