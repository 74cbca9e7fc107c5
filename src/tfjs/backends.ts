import { typedArrayTag, type WideArray } from '../arrays.js';
import { product } from '../call/shape.js';
import { handRuntime, type Runtime } from '../runtime.js';
import { type Guest, guestOf, type MemoryHost } from './guest.js';
import type { TensorInfo } from './types.js';

/** The arrays that hold elements of float32, int32 and bool. */
export type Elements = Float32Array | Int32Array | Uint8Array;

/**
 * Where a kernel finds its numbers: in the backend's own memory, which our kernels share, or in arrays that are copied
 * into and out of ours.
 */
export type MemoryKind = 'shared' | 'copied';

/** A memory that a backend shares with our kernels, so that they read and write tensors in place. */
export interface SharedMemory {
  /** The address of a tensor, which is moved here if another backend holds it. The memory may grow. */
  addressOf(tensor: TensorInfo): number;
  /** The runtime of the kernels in this memory, with views that are valid until the memory grows. */
  open(): Runtime;
}

/** A backend of TensorFlow.js as our kernels use it. */
export interface Storage {
  /** Undefined where elements are copied. */
  readonly shared: SharedMemory | undefined;
  /** Moves a tensor here if another backend holds it. May detach views, as `create` may. */
  fetch(tensor: TensorInfo): void;
  /** A new tensor with unset elements. It keeps the `shape` array itself, which may be that of another tensor. */
  create(shape: number[], dtype: string): TensorInfo;
  /** A view of the elements of a tensor that this backend holds. */
  elementsOf(tensor: TensorInfo): Elements;
  floatsOf(tensor: TensorInfo): WideArray;
  dispose(tensor: TensorInfo): void;
  /** Runs one function of this library. */
  run<R>(compute: () => R): R;
}

function typeOf(dtype: string): Float32ArrayConstructor | Int32ArrayConstructor | Uint8ArrayConstructor {
  return dtype === 'int32' ? Int32Array : dtype === 'bool' ? Uint8Array : Float32Array;
}

/** The part of tfjs-backend-cpu's backend that is used here. */
interface CpuBackend {
  readonly data: { get(dataId: object): { values: Elements } };
  makeTensorInfo(shape: number[], dtype: string, values: Elements): TensorInfo;
  disposeData(dataId: object): void;
}

class CpuStorage implements Storage {
  readonly shared = undefined;
  readonly #backend: CpuBackend;

  constructor(backend: CpuBackend) {
    this.#backend = backend;
  }

  fetch({ dataId }: TensorInfo): void {
    this.#backend.data.get(dataId);
  }

  create(shape: number[], dtype: string): TensorInfo {
    const Type = typeOf(dtype);
    return this.#backend.makeTensorInfo(shape, dtype, new Type(product(shape)));
  }

  elementsOf({ dataId, dtype }: TensorInfo): Elements {
    const { values } = this.#backend.data.get(dataId);
    // A tensor that was cast may still have the elements that it was cast from.
    const Type = typeOf(dtype);
    return typedArrayTag(values) === Type.name ? values : Type.from(values);
  }

  floatsOf(tensor: TensorInfo): WideArray {
    return this.elementsOf(tensor) as WideArray;
  }

  dispose({ dataId }: TensorInfo): void {
    this.#backend.disposeData(dataId);
  }

  run<R>(compute: () => R): R {
    return compute();
  }
}

/** The part of tfjs-backend-wasm's backend that is used here. */
interface WasmBackend {
  readonly wasm: {
    readonly asm?: { readonly memory?: WebAssembly.Memory };
    /** Present where threads share the memory. */
    readonly wasmMemory?: WebAssembly.Memory;
    readonly HEAPU8: Uint8Array;
    _malloc(bytes: number): number;
    _free(address: number): void;
  };
  readonly dataIdMap: { get(dataId: object): { memoryOffset: number } };
  makeOutput(shape: number[], dtype: string): TensorInfo;
  disposeData(dataId: object): void;
}

class WasmStorage implements Storage {
  readonly shared: SharedMemory | undefined;
  readonly #backend: WasmBackend;
  readonly #memory: WebAssembly.Memory | undefined;
  readonly #guest: Guest | undefined;

  constructor(backend: WasmBackend) {
    this.#backend = backend;
    this.#memory = backend.wasm.asm?.memory ?? backend.wasm.wasmMemory;
    this.#guest = this.#memory && guestOn(this.#memory, backend);
    this.shared = this.#guest && new GuestMemory(backend, this.#guest);
  }

  fetch({ dataId }: TensorInfo): void {
    this.#backend.dataIdMap.get(dataId);
  }

  create(shape: number[], dtype: string): TensorInfo {
    return this.#backend.makeOutput(shape, dtype);
  }

  elementsOf({ dataId, shape, dtype }: TensorInfo): Elements {
    const { memoryOffset } = this.#backend.dataIdMap.get(dataId);
    // Emscripten does not renew its views when a thread has made the memory grow.
    const { buffer } = this.#memory ?? this.#backend.wasm.HEAPU8;
    const Type = typeOf(dtype);
    return new Type(buffer as ArrayBuffer, memoryOffset, product(shape));
  }

  floatsOf(tensor: TensorInfo): WideArray {
    return this.elementsOf(tensor) as WideArray;
  }

  dispose({ dataId }: TensorInfo): void {
    this.#backend.disposeData(dataId);
  }

  run<R>(compute: () => R): R {
    if (this.#guest === undefined) return compute();
    this.#guest.arena.follow();
    handRuntime(this.#guest.runtime);
    try {
      return compute();
    } finally {
      handRuntime(undefined);
    }
  }
}

class GuestMemory implements SharedMemory {
  readonly #backend: WasmBackend;
  readonly #guest: Guest;

  constructor(backend: WasmBackend, guest: Guest) {
    this.#backend = backend;
    this.#guest = guest;
  }

  addressOf({ dataId }: TensorInfo): number {
    return this.#backend.dataIdMap.get(dataId).memoryOffset;
  }

  open(): Runtime {
    this.#guest.arena.follow();
    return this.#guest.runtime;
  }
}

/** A runtime in the backend's own memory, or undefined if that is impossible. */
function guestOn(memory: WebAssembly.Memory, { wasm }: WasmBackend): Guest | undefined {
  const host: MemoryHost = { memory, malloc: (bytes) => wasm._malloc(bytes), free: (address) => wasm._free(address) };
  try {
    return guestOf(host);
  } catch {
    return undefined;
  }
}

/** The names of the backends whose tensors our kernels can reach. */
export const BACKENDS = ['wasm', 'cpu'] as const;
export type HostBackendName = (typeof BACKENDS)[number];

/**
 * The storage of each backend object, made on first use. A backend that is removed and registered again is a new
 * object.
 */
const storages = new WeakMap<object, Storage>();

export function storageOf(name: HostBackendName, backend: object): Storage {
  let storage = storages.get(backend);
  if (storage === undefined) {
    storage = name === 'wasm' ? new WasmStorage(backend as WasmBackend) : new CpuStorage(backend as CpuBackend);
    storages.set(backend, storage);
  }
  return storage;
}

export function memoryKindOf({ shared }: Storage): MemoryKind {
  return shared === undefined ? 'copied' : 'shared';
}
