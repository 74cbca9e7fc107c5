import { core, half } from './generated/functions.js';

// First, because this import brings the text of all functions: at the start of a bundle it leaves the rest in one
// piece, which gzip compresses better.

import { BYTES, type Dtype } from './arrays.js';
import { type HalfKernels, Halves } from './call/halves.js';
import { type OptionNames, readOptions } from './call/options.js';
import { Run, type Transpose } from './call/run.js';
import { product } from './call/shape.js';
import { rangeError, typeError } from './errors.js';
import { Arena, MEMORY_LIMIT } from './memory/arena.js';
import { makeTensor, type Tensor, type TensorOwner } from './memory/tensor.js';
import type { BackendInfo, MemoryUsage, Settings } from './types.js';
import {
  type Backend,
  cannotRun,
  type Instance,
  isBackendName,
  openBackend,
  openModule,
  withoutModules,
} from './wasm/backend.js';
import { bindKernel, type Kernel } from './wasm/kernel.js';
import type { Modules } from './wasm/modules.js';

const SETTINGS: OptionNames<Settings> = { backend: true, module: true, maxMemory: true };

/** Reads each setting once, and checks it; returns a copy. @throws TypeError, RangeError */
export function readSettings(operation: string, settings: Settings | undefined): Settings {
  const { backend, module, maxMemory } = readOptions<Settings>(operation, settings, SETTINGS);
  if (backend !== undefined && backend !== 'auto' && !isBackendName(backend)) {
    throw typeError(operation, 'backend', backend, '"auto", "relaxed-simd", "simd128" or "reference"');
  }
  if (module !== undefined && !isModule(module)) {
    throw typeError(operation, 'module', module, 'a WebAssembly.Module');
  }
  if (maxMemory !== undefined) {
    if (typeof maxMemory !== 'number') throw typeError(operation, 'maxMemory', maxMemory, 'a number of bytes');
    if (!(maxMemory >= 2 ** 20)) throw rangeError(operation, 'maxMemory', maxMemory, 'at least 2^20 bytes');
  }
  return { backend, module, maxMemory };
}

/** Asks the engine: nothing else is reliable, and none of the caller's code runs. */
function isModule(value: unknown): value is WebAssembly.Module {
  try {
    WebAssembly.Module.customSections(value as WebAssembly.Module, '');
    return true;
  } catch {
    return false;
  }
}

/** A backend with its memory and tensors: what a set of functions works on. */
export class Runtime implements TensorOwner {
  readonly arena: Arena;
  readonly halves: Halves;
  readonly run: Run;
  #backend: Backend;
  /** Whether the library has chosen the backend: if it fails, the reference may then replace it. */
  readonly #isAuto: boolean;
  /** The kernels for float32 and float64 by their id, bound at their first use. */
  readonly #kernels32: (((operands: never) => void) | undefined)[] = [];
  readonly #kernels64: (((operands: never) => void) | undefined)[] = [];
  #tensors = 0;
  #bytes = 0;
  readonly #forgotten: FinalizationRegistry<number> | undefined;

  constructor(backend: Backend, arena: Arena, isAuto: boolean) {
    this.#isAuto = isAuto;
    this.#backend = backend;
    this.arena = arena;
    const { modules } = backend;
    this.halves = new Halves(arena, modules?.exportsOf(half) as HalfKernels | undefined);
    this.run = new Run(arena, this.halves, modules?.exportsOf(core).transpose_f32 as Transpose | undefined);
    if (typeof FinalizationRegistry !== 'undefined') {
      this.#forgotten = new FinalizationRegistry((address) => this.#reclaim(address));
    }
  }

  get modules(): Modules | undefined {
    return this.#backend.modules;
  }

  get info(): BackendInfo {
    const { name, reason, tried } = this.#backend;
    return { name, reason, tried: tried.map((attempt) => ({ ...attempt })) };
  }

  get usage(): MemoryUsage {
    return { bytes: this.#bytes, tensors: this.#tensors };
  }

  /** The kernel for elements of this many bytes; `operation` is what errors name. */
  kernel<O>(kernel: Kernel<O>, elementBytes: 4 | 8, operation: string): (operands: O) => void {
    const bound = elementBytes === 4 ? this.#kernels32 : this.#kernels64;
    return (bound[kernel.id] ??= this.#bind(kernel, elementBytes, operation)) as (operands: O) => void;
  }

  /** Compiles a kernel's module at its first use. If the engine refuses, the reference takes over for all kernels. */
  #bind<O>(kernel: Kernel<O>, elementBytes: 4 | 8, operation: string): (operands: O) => void {
    try {
      return bindKernel(kernel, elementBytes, this.#backend.modules, this.arena);
    } catch (error) {
      if (!this.#isAuto) throw cannotRun(operation, this.#backend.name, error);
      this.#backend = withoutModules(this.#backend, error);
      this.#kernels32.length = 0;
      this.#kernels64.length = 0;
      warnReference(this.#backend);
      return bindKernel(kernel, elementBytes, undefined, this.arena);
    }
  }

  /** A new tensor with uninitialized elements. It keeps the shape without copying it: nobody may change that array. */
  allocate(operation: string, shape: readonly number[], dtype: Dtype): Tensor {
    const size = product(shape);
    const address = this.arena.allocate(size * BYTES[dtype], operation);
    const tensor = makeTensor({ owner: this, address, shape, size, dtype, elementBytes: dtype === 'float64' ? 8 : 4 });
    this.#tensors++;
    this.#bytes += this.arena.sizeOf(address);
    this.#forgotten?.register(tensor, address, tensor);
    return tensor;
  }

  /** Frees the memory of a disposed tensor. */
  release(tensor: Tensor, address: number): void {
    this.#forgotten?.unregister(tensor);
    this.#reclaim(address);
  }

  #reclaim(address: number): void {
    this.#bytes -= this.arena.sizeOf(address);
    this.#tensors--;
    this.arena.free(address);
  }
}

/**
 * Opens a runtime for settings. Errors name `operation`; `ahead` is the module of the settings, if it was instantiated
 * already.
 */
export function openRuntime(settings: Settings, operation: string, ahead?: Instance): Runtime {
  const { backend: wanted = 'auto', module, maxMemory = MEMORY_LIMIT } = settings;
  const backend =
    module === undefined ? openBackend(operation, wanted, maxMemory) : openModule(operation, wanted, module, ahead);
  return runtimeOn(backend, maxMemory, wanted === 'auto');
}

function runtimeOn(backend: Backend, maxMemory: number, isAuto: boolean): Runtime {
  if (backend.name === 'reference' && isAuto) warnReference(backend);
  return new Runtime(backend, new Arena(backend.memory, maxMemory), isAuto);
}

let warned = false;

function warnReference(backend: Backend): void {
  if (warned) return;
  warned = true;
  const reasons = backend.tried.map(({ name, error }) => `${name}: ${error}`).join('; ');
  const advice = Array.from(new Set(backend.remedies), (remedy) => `; ${remedy}`).join('');
  console.warn(`softmax-wasm: running in plain TypeScript, which is slow (${reasons})${advice}`);
}

/** The runtime of the module-level functions, made at their first call. */
let current: Runtime | undefined;
/** The runtime that the next public function takes, when it is called by way of a set of kernels. */
let handed: Runtime | undefined;

/** The runtime of a call. A public function takes it before it does anything else. */
export function takeRuntime(): Runtime {
  // Not openRuntime: a module of the caller's needs settings, and a bundle that never takes settings can leave its code
  // out.
  if (handed === undefined)
    return (current ??= runtimeOn(openBackend('init', 'auto', MEMORY_LIMIT), MEMORY_LIMIT, true));
  const runtime = handed;
  handed = undefined;
  return runtime;
}

/** Sets the runtime for the public function that is called next; undefined for the default one. */
export function handRuntime(runtime: Runtime | undefined): void {
  handed = runtime;
}

export function setCurrentRuntime(runtime: Runtime): void {
  current = runtime;
}
