import { coreFamily } from '../generated/families.js';
import { embedded, type Family, type ModuleBackend } from './embedded.js';
import { type LinearMemory, PlainMemory } from './memory.js';
import { checkStamp, type Exports, exportsOn, exportsOnAhead, type Modules, multiplyAddFuses } from './wasm.js';

export type BackendName = 'relaxed-simd' | 'simd128' | 'reference';

/** Which backend runs, why, and what was tried before it. */
export interface BackendInfo {
  name: BackendName;
  reason: string;
  tried: { name: BackendName; error: string }[];
}

/** A backend ready to run; `modules` is undefined for the reference, whose kernels are plain functions. */
export interface Backend extends BackendInfo {
  modules: Modules | undefined;
  memory: LinearMemory;
}

const ORDER: readonly BackendName[] = ['relaxed-simd', 'simd128', 'reference'];
const REASONS: Record<BackendName, string> = {
  'relaxed-simd': 'relaxed SIMD is supported and its multiply-add fuses',
  simd128: 'fixed-width SIMD is supported',
  reference: 'plain TypeScript runs everywhere',
};

/** Compiled modules, shared by all sets of kernels. */
const compiled = {
  'relaxed-simd': new Map<Family, WebAssembly.Module>(),
  simd128: new Map<Family, WebAssembly.Module>(),
};

export function isBackendName(value: unknown): value is BackendName {
  return ORDER.includes(value as BackendName);
}

function compile(name: ModuleBackend, family: Family): WebAssembly.Module {
  let module = compiled[name].get(family);
  if (module === undefined) {
    module = new WebAssembly.Module(embedded(family, name));
    compiled[name].set(family, module);
  }
  return module;
}

async function compileAhead(name: ModuleBackend, family: Family): Promise<WebAssembly.Module> {
  const module = compiled[name].get(family) ?? (await WebAssembly.compile(embedded(family, name)));
  compiled[name].set(family, module);
  return module;
}

/** Compiles ahead what openBackend will want, without blocking. Failures show again, and are reported, there. */
export async function compileCoreAhead(wanted: BackendName | 'auto'): Promise<void> {
  const names = wanted === 'auto' ? (['relaxed-simd', 'simd128'] as const) : wanted === 'reference' ? [] : [wanted];
  for (const name of names) {
    try {
      await compileAhead(name, coreFamily);
      return;
    } catch {
      // The next one, then.
    }
  }
}

/** The modules that are embedded in the package. */
class EmbeddedModules implements Modules {
  readonly #name: ModuleBackend;
  readonly #memory: WebAssembly.Memory;
  readonly #exports = new Map<Family, Exports>();

  constructor(name: ModuleBackend, memory: WebAssembly.Memory) {
    this.#name = name;
    this.#memory = memory;
  }

  exportsOf(family: Family): Exports {
    let exports = this.#exports.get(family);
    if (exports === undefined) {
      exports = exportsOn(this.#memory, compile(this.#name, family));
      this.#exports.set(family, exports);
    }
    return exports;
  }

  async prepare(families: Iterable<Family>): Promise<void> {
    const prepareOne = async (family: Family) => {
      this.#exports.set(family, await exportsOnAhead(this.#memory, await compileAhead(this.#name, family)));
    };
    await Promise.allSettled(Array.from(families, prepareOne));
  }
}

/** One module with the kernels of all families, as the package has it in a file. */
class WholeModule implements Modules {
  readonly #exports: Exports;

  constructor(module: WebAssembly.Module, memory: WebAssembly.Memory) {
    this.#exports = exportsOn(memory, module);
  }

  exportsOf(): Exports {
    return this.#exports;
  }

  async prepare(): Promise<void> {}
}

function open(operation: string, name: BackendName, module?: WebAssembly.Module): Pick<Backend, 'modules' | 'memory'> {
  if (name === 'reference') return { modules: undefined, memory: referenceMemory() };
  if (typeof WebAssembly === 'undefined') throw new Error('there is no WebAssembly here');
  if (module !== undefined) checkStamp(operation, module, name);
  const memory = new WebAssembly.Memory({ initial: 1 });
  const modules = module === undefined ? new EmbeddedModules(name, memory) : new WholeModule(module, memory);
  if (!multiplyAddFuses(modules.exportsOf(coreFamily)) && name === 'relaxed-simd') {
    throw new Error('relaxed multiply-add does not fuse on this processor');
  }
  return { modules, memory };
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
