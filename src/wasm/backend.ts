import { core, half } from '../generated/functions.js';
import { INITIAL_PAGES, type LinearMemory, PlainMemory } from '../memory/arena.js';
import type { BackendInfo, BackendName } from '../types.js';
import { link, type ModuleBackend, type Program } from './link.js';
import { checkStamp, type Exports, exportsOn, exportsOnAhead, type Modules, multiplyAddFuses } from './modules.js';

/** A backend ready to run; `modules` is undefined for the reference, whose kernels are plain functions. */
export interface Backend extends BackendInfo {
  modules: Modules | undefined;
  memory: LinearMemory;
  /** What the caller can do about the errors of the backends that were tried. */
  remedies: readonly string[];
}

const ORDER: readonly BackendName[] = ['relaxed-simd', 'simd128', 'reference'];
const REASONS: Record<BackendName, string> = {
  'relaxed-simd': 'relaxed SIMD is supported and its multiply-add fuses',
  simd128: 'fixed-width SIMD is supported',
  reference: 'plain TypeScript runs everywhere',
};

/** Compiled modules, shared by all sets of kernels. */
const compiled = {
  'relaxed-simd': new Map<Program, WebAssembly.Module>(),
  simd128: new Map<Program, WebAssembly.Module>(),
};

export function isBackendName(value: unknown): value is BackendName {
  return ORDER.includes(value as BackendName);
}

function compile(name: ModuleBackend, program: Program): WebAssembly.Module {
  const module = compiled[name].get(program) ?? new WebAssembly.Module(link(program, name));
  compiled[name].set(program, module);
  return module;
}

async function compileAhead(name: ModuleBackend, program: Program): Promise<WebAssembly.Module> {
  const module = compiled[name].get(program) ?? (await WebAssembly.compile(link(program, name)));
  compiled[name].set(program, module);
  return module;
}

/**
 * Compiles what openBackend will need, without blocking. It ignores failures: openBackend meets them again, and reports
 * them.
 */
export async function compileCoreAhead(wanted: BackendName | 'auto'): Promise<void> {
  const names = wanted === 'auto' ? (['relaxed-simd', 'simd128'] as const) : wanted === 'reference' ? [] : [wanted];
  for (const name of names) {
    try {
      await compileAhead(name, core);
      await compileAhead(name, half);
      return;
    } catch {
      // Try the next one.
    }
  }
}

/** Modules linked from what is embedded in the package: one for each kernel and element type, core and half. */
export class EmbeddedModules implements Modules {
  readonly name: ModuleBackend;
  readonly memory: WebAssembly.Memory;
  /** The exports of the programs that were compiled. */
  readonly exports = new Map<Program, Exports>();

  constructor(name: ModuleBackend, memory: WebAssembly.Memory) {
    this.name = name;
    this.memory = memory;
  }

  exportsOf(program: Program): Exports {
    let exports = this.exports.get(program);
    if (exports === undefined) {
      exports = exportsOn(this.memory, this.compile(this.name, program));
      this.exports.set(program, exports);
    }
    return exports;
  }

  protected compile(name: ModuleBackend, program: Program): WebAssembly.Module {
    return compile(name, program);
  }
}

/**
 * Compiles the modules of programs before their first use, without blocking. It ignores failures: they show again at
 * the first use. Not a method, so that a bundle without `init` leaves it out.
 */
export async function prepare(modules: Modules | undefined, programs: Iterable<Program>): Promise<void> {
  if (!(modules instanceof EmbeddedModules)) return;
  const { name, memory, exports } = modules;
  const prepareOne = async (program: Program) => {
    exports.set(program, await exportsOnAhead(memory, await compileAhead(name, program)));
  };
  await Promise.allSettled(Array.from(programs, prepareOne));
}

/** One module with all kernels, as the package has it in a file. */
class WholeModule implements Modules {
  readonly #exports: Exports;

  constructor(exports: Exports) {
    this.#exports = exports;
  }

  exportsOf(): Exports {
    return this.#exports;
  }
}

/** A module given by the caller, instantiated on a memory. */
export interface Instance {
  readonly exports: Exports;
  readonly memory: WebAssembly.Memory;
}

/**
 * Instantiates a module without blocking; undefined if it fails. openModule then fails again, and reports the error.
 */
export async function instantiateAhead(module: WebAssembly.Module): Promise<Instance | undefined> {
  try {
    checkStamp('init', module, backendOf(module));
    const memory = newMemory();
    return { exports: await exportsOnAhead(memory, module), memory };
  } catch {
    return undefined;
  }
}

function instantiate(module: WebAssembly.Module): Instance {
  const memory = newMemory();
  return { exports: exportsOn(memory, module), memory };
}

function newMemory(): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: INITIAL_PAGES });
}

function open(name: BackendName, limit: number): Pick<Backend, 'modules' | 'memory'> {
  if (name === 'reference') return { modules: undefined, memory: new PlainMemory(limit) };
  if (typeof WebAssembly === 'undefined') throw new Error('there is no WebAssembly here');
  const memory = newMemory();
  const modules = new EmbeddedModules(name, memory);
  checkModules(name, modules);
  return { modules, memory };
}

/**
 * Checks that what every set of functions needs compiles and, for relaxed-simd, that multiply-add rounds once on this
 * processor.
 * @throws Error
 */
export function checkModules(name: ModuleBackend, modules: Modules): void {
  modules.exportsOf(half);
  if (!multiplyAddFuses(modules.exportsOf(core)) && name === 'relaxed-simd') {
    throw new Error('relaxed multiply-add does not fuse on this processor');
  }
}

/**
 * The named backend, or with 'auto' the first one that runs, with the embedded modules and a memory of at most `limit`
 * bytes.
 * @throws Error when a backend named explicitly cannot run
 */
export function openBackend(operation: string, wanted: BackendName | 'auto', limit: number): Backend {
  return openFirst(operation, wanted, (name) => open(name, limit));
}

/** The same, where `openOne` makes the modules and the memory of a backend. */
export function openFirst(
  operation: string,
  wanted: BackendName | 'auto',
  openOne: (name: BackendName) => Pick<Backend, 'modules' | 'memory'>,
): Backend {
  const tried: BackendInfo['tried'] = [];
  const remedies: string[] = [];
  for (const name of wanted === 'auto' ? ORDER : [wanted]) {
    try {
      const reason = wanted === 'auto' ? REASONS[name] : 'named explicitly';
      return { name, reason, tried, remedies, ...openOne(name) };
    } catch (error) {
      if (wanted !== 'auto') throw cannotRun(operation, name, error);
      tried.push({ name, error: message(error) });
      remedies.push(...remediesFor(error));
    }
  }
  throw new Error(`${operation}: no backend runs`);
}

/**
 * The named backend with a module given by the caller; with 'auto', the module's stamp says which backend it is for.
 * @throws Error when it cannot run, TypeError for a module of another version
 */
export function openModule(
  operation: string,
  wanted: BackendName | 'auto',
  module: WebAssembly.Module,
  ahead: Instance | undefined,
): Backend {
  if (wanted === 'reference') throw new TypeError(`${operation}: backend "reference" takes no module`);
  const name = wanted === 'auto' ? backendOf(module) : wanted;
  checkStamp(operation, module, name);
  const { exports, memory } = ahead ?? instantiate(module);
  const modules = new WholeModule(exports);
  checkModules(name, modules);
  return { name, reason: 'its module was given', tried: [], remedies: [], modules, memory };
}

/** The backend that a module is for, by its stamp. */
function backendOf(module: WebAssembly.Module): ModuleBackend {
  const isRelaxed = WebAssembly.Module.customSections(module, 'softmax-wasm').some((section) =>
    new TextDecoder().decode(section).endsWith(' relaxed-simd'),
  );
  return isRelaxed ? 'relaxed-simd' : 'simd128';
}

/** The error for a backend that was named explicitly. */
export function cannotRun(operation: string, name: BackendName, error: unknown): Error {
  return new Error(`${operation}: backend ${name} cannot run: ${message(error)}`, { cause: error });
}

/** The reference backend, on the memory of a backend that failed to compile a kernel. */
export function withoutModules({ name, tried, remedies, memory }: Backend, error: unknown): Backend {
  return {
    name: 'reference',
    reason: REASONS.reference,
    tried: [...tried, { name, error: message(error) }],
    remedies: [...remedies, ...remediesFor(error)],
    modules: undefined,
    memory,
  };
}

/** What the caller can do about an engine's refusal. */
function remediesFor(error: unknown): readonly string[] {
  // Up to about version 114, Chromium threw it for more than 4 KB on the main thread. Running out of memory is a
  // RangeError too.
  if (error instanceof RangeError && !/memory/i.test(error.message)) {
    return ['await init() first: it compiles without blocking, which is allowed'];
  }
  if (/content.security.policy|\bCSP\b|unsafe-eval|disallowed by embedder/i.test(message(error))) {
    return [
      "allow 'wasm-unsafe-eval' in the script-src of the page's Content-Security-Policy, or where a .wasm file can be " +
        'imported, as in a Cloudflare Worker: await init({ module })',
    ];
  }
  return [];
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
