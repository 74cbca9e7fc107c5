import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { core, half } from '../src/generated/functions.js';
import * as sources from '../src/generated/kernels.js';
import type * as library from '../src/index.js';
import { backendInfo, createKernels } from '../src/index.js';
import { STATIC_END } from '../src/memory/arena.js';
import { link, type ModuleBackend } from '../src/wasm/link.js';
import { debugModule, missing, sets } from './support/backends.js';
import { hasFmaFlag, readBytes, relaxedSimdFlags, runApart } from './support/platform.js';

const X = [2, 1, 0.1];

type Library = typeof library;

/** The library, imported again, with nothing compiled or chosen yet. */
async function importAnew(): Promise<Library> {
  vi.resetModules();
  return import('../src/index.js');
}

/** A module of the package, as its users get it. */
async function packaged(name: string): Promise<WebAssembly.Module> {
  return WebAssembly.compile(await readBytes(`build/${name}.wasm`));
}

/** A module with another stamp, or without one if it is undefined. */
async function restamped(stamp: string | undefined): Promise<WebAssembly.Module> {
  const bytes = await readBytes('build/simd128.wasm');
  const text = new TextDecoder('latin1').decode(bytes);
  const at = text.lastIndexOf('softmax-wasm');
  const header = text.lastIndexOf('\0', at);
  const body = bytes.slice(0, header);
  if (stamp === undefined) return WebAssembly.compile(body);
  const content = [12, ...new TextEncoder().encode(`softmax-wasm${stamp}`)];
  return WebAssembly.compile(Uint8Array.from([...body, 0, content.length, ...content]));
}

/** WebAssembly as it is, with some members replaced. */
function stubWebAssembly(members: Partial<Record<keyof typeof WebAssembly, unknown>>): void {
  const stub = Object.create(null) as Record<string, unknown>;
  for (const name of Object.getOwnPropertyNames(WebAssembly)) stub[name] = Reflect.get(WebAssembly, name);
  vi.stubGlobal('WebAssembly', Object.assign(stub, members));
}

const PROGRAMS = [core, half, ...Object.values(sources).flatMap(({ f32, f64 }) => [f32, f64])];

/** An engine that compiles nothing but these modules. */
function compileOnly(...modules: Uint8Array[]): void {
  const Refusing = new Proxy(WebAssembly.Module, {
    construct(target, [bytes]) {
      if (modules.some((module) => String(module) === String(bytes))) return new target(bytes);
      throw new WebAssembly.CompileError('wasm opcode is not supported');
    },
  });
  stubWebAssembly({ Module: Refusing, compile: async (bytes: Uint8Array<ArrayBuffer>) => new Refusing(bytes) });
}

function modulesOf(backend: ModuleBackend): Uint8Array[] {
  return PROGRAMS.map((program) => link(program, backend));
}

let warn: ReturnType<typeof vi.spyOn>;

beforeEach(() => {
  warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

describe('the linked modules', () => {
  const exportsOf = (module: WebAssembly.Module) => WebAssembly.Module.exports(module).map(({ name }) => name);

  test.each(sets.filter(({ name }) => name === 'simd128' || name === 'relaxed-simd'))(
    '$name: export together what the file of the package does, and give the same bits',
    async ({ name, kernels }) => {
      const whole = await packaged(name);
      const exports = PROGRAMS.flatMap((program) =>
        exportsOf(new WebAssembly.Module(link(program, name as ModuleBackend))),
      );
      expect(exports.sort()).toEqual(exportsOf(whole).sort());
      const others = createKernels({ module: whole });
      const x = Float32Array.from({ length: 300 }, (_, i) => Math.sin(i));
      const results = (set: typeof kernels) => [
        set.softmax(x),
        set.logSoftmax(x),
        set.crossEntropyWithGrad(x, 3),
        set.topK(x, 5),
        set.sigmoid(x),
      ];
      expect(results(kernels)).toEqual(results(others));
    },
  );

  test('only core writes to memory when it is instantiated, below the first byte of scratch', () => {
    for (const program of PROGRAMS) {
      const memory = new WebAssembly.Memory({ initial: 1 });
      const bytes = new Uint8Array(memory.buffer).fill(0xa5);
      new WebAssembly.Instance(new WebAssembly.Module(link(program, 'simd128')), { env: { memory } });
      const changed = bytes.findIndex((byte) => byte !== 0xa5);
      if (program === core) {
        expect(changed).toBeGreaterThanOrEqual(320);
        expect(bytes.subarray(STATIC_END).every((byte) => byte === 0xa5)).toBe(true);
      } else expect(changed).toBe(-1);
    }
  });
});

describe('linear memory', () => {
  // Growth detaches a buffer, after which V8 checks every access to any typed array of the program.
  test('does not grow where typed arrays can be staged', () => {
    const grow = vi.spyOn(WebAssembly.Memory.prototype, 'grow');
    const { softmax, softmaxBackward, crossEntropyWithGrad } = createKernels();
    const x = Float32Array.from({ length: 256 * 1024 }, (_, i) => Math.sin(i));
    const shape = [256, 1024];
    softmaxBackward(softmax(x, { shape }), x, { shape });
    softmax(x, { shape, axis: 0 });
    crossEntropyWithGrad(x, new Int32Array(256), { shape });
    expect(grow).not.toHaveBeenCalled();
    softmax(x);
    expect(grow).toHaveBeenCalled();
  });
});

describe('import', () => {
  test('has no side effect; a call compiles what it needs, once', async () => {
    const compiled: number[] = [];
    let instances = 0;
    stubWebAssembly({
      Module: new Proxy(WebAssembly.Module, {
        construct(target, [bytes]) {
          compiled.push(bytes.length);
          return new target(bytes);
        },
      }),
      Instance: new Proxy(WebAssembly.Instance, {
        construct(target, [module, imports]) {
          instances++;
          return new target(module, imports);
        },
      }),
    });
    const { softmax, softmaxBackward, argmax, createKernels: create } = await importAnew();
    expect(compiled).toEqual([]);
    const probs = softmax(X);
    // core, half and the kernel.
    expect(compiled.length).toBe(3);
    expect(instances).toBe(3);
    softmax(X);
    softmaxBackward(probs, X);
    create();
    expect(compiled.length).toBe(4);
    argmax(X);
    create().argmax(X);
    expect(compiled.length).toBe(5);
    argmax(Float64Array.from(X));
    expect(compiled.length).toBe(6);
    expect(warn).not.toHaveBeenCalled();
  });

  test('modules loaded after memory has grown work on the same memory and tensors', async () => {
    const { softmax, argmax, crossEntropyWithGrad, zeros, tensor } = await importAnew();
    const x = tensor(X);
    const expected = softmax(x).toArray();
    zeros([2 ** 22]);
    expect(argmax(x).data).toEqual(new Int32Array([0]));
    expect(crossEntropyWithGrad(x, 0).grad.toArray()[1]).toBeCloseTo(expected[1]!, 6);
    expect(softmax(x).toArray()).toEqual(expected);
  });
});

describe('auto', () => {
  test('takes relaxed SIMD first, where it runs and fuses', async () => {
    const { backendInfo: info, softmax } = await importAnew();
    softmax(X);
    const relaxed = missing.find(({ name }) => name === 'relaxed-simd');
    if (relaxed === undefined) {
      expect(info()).toEqual({
        name: 'relaxed-simd',
        reason: 'relaxed SIMD is supported and its multiply-add fuses',
        tried: [],
      });
    } else expect(info().name).toBe('simd128');
  });

  test('then simd128', async () => {
    compileOnly(...modulesOf('simd128'));
    const { backendInfo: info, softmax } = await importAnew();
    expect(info()).toEqual({
      name: 'simd128',
      reason: 'fixed-width SIMD is supported',
      tried: [{ name: 'relaxed-simd', error: 'wasm opcode is not supported' }],
    });
    expect(softmax(X)[0]).toBeCloseTo(0.659, 3);
    expect(warn).not.toHaveBeenCalled();
  });

  test('then the reference, with one warning that says why', async () => {
    compileOnly();
    const { backendInfo: info, softmax, createKernels: create } = await importAnew();
    expect(softmax(X)[0]).toBeCloseTo(0.659, 3);
    create();
    expect(info()).toEqual({
      name: 'reference',
      reason: 'plain TypeScript runs everywhere',
      tried: [
        { name: 'relaxed-simd', error: 'wasm opcode is not supported' },
        { name: 'simd128', error: 'wasm opcode is not supported' },
      ],
    });
    expect(warn.mock.calls).toEqual([
      [
        'softmax-wasm: running in plain TypeScript, which is slow (relaxed-simd: wasm opcode is not supported; simd128: wasm opcode is not supported)',
      ],
    ]);
  });

  test('the reference for all kernels if one does not compile, also for those that ran before', async () => {
    const { softmaxKernel } = sources;
    compileOnly(...[core, half, softmaxKernel.f32, softmaxKernel.f64].map((program) => link(program, 'simd128')));
    const { backendInfo: info, softmax, logSumExp, createKernels: create } = await importAnew();
    const float32 = Float32Array.from({ length: 1000 }, (_, i) => 4 * Math.sin(i));
    const float64 = Float64Array.from({ length: 1000 }, (_, i) => 4 * Math.sin(i));
    const before = [softmax(float32), softmax(float64)];
    expect(info().name).toBe('simd128');
    logSumExp(X);
    expect(info().name).toBe('reference');
    expect(info().tried.map(({ name }) => name)).toEqual(['relaxed-simd', 'simd128']);
    const reference = create({ backend: 'reference' });
    for (const [i, x] of [float32, float64].entries()) {
      expect(softmax(x)).toEqual(reference.softmax(x));
      expect(softmax(x)).not.toEqual(before[i]);
    }
  });

  test('the reference if there is no memory, without a hint at init, which would not help', async () => {
    const construct = () => {
      throw new RangeError('WebAssembly.Memory(): could not allocate memory');
    };
    stubWebAssembly({ Memory: new Proxy(WebAssembly.Memory, { construct }) });
    const { softmax } = await importAnew();
    expect([...softmax([0, 0])]).toEqual([0.5, 0.5]);
    expect(warn.mock.calls).toEqual([[expect.stringMatching(/could not allocate memory\)$/)]]);
  });

  test('works without WebAssembly at all', async () => {
    vi.stubGlobal('WebAssembly', undefined);
    const { backendInfo: info, softmax, tensor, zeros, memoryUsage } = await importAnew();
    expect([...softmax([0, 0])]).toEqual([0.5, 0.5]);
    expect(info().name).toBe('reference');
    expect(info().tried[0]).toEqual({ name: 'relaxed-simd', error: 'there is no WebAssembly here' });
    expect(warn).toHaveBeenCalledTimes(1);
    const x = tensor([1, 1, 1, 1]);
    const view = x.data;
    zeros([2 ** 20]);
    expect(view.length).toBe(0);
    expect([...softmax(x).data]).toEqual([0.25, 0.25, 0.25, 0.25]);
    expect(memoryUsage().tensors).toBe(3);
  });

  test('works without FinalizationRegistry', async () => {
    vi.stubGlobal('FinalizationRegistry', undefined);
    const { tensor, softmax, memoryUsage } = await importAnew();
    const x = tensor([0, 0]);
    const y = softmax(x);
    expect([...y]).toEqual([0.5, 0.5]);
    for (const each of [x, y]) each.dispose();
    expect(memoryUsage()).toEqual({ bytes: 0, tensors: 0 });
  });

  test('the reference gives no warning if it was asked for', async () => {
    // Imported again, because the warning appears only once.
    const { createKernels: create, init, softmax } = await importAnew();
    create({ backend: 'reference' }).softmax(X);
    await init({ backend: 'reference' });
    softmax(X);
    expect(warn).not.toHaveBeenCalled();
  });

  test.skipIf(!hasFmaFlag)('a processor that does not fuse gets simd128', async () => {
    const program = `
      import { readFile } from 'node:fs/promises';
      import { backendInfo, softmax, createKernels } from 'softmax-wasm';
      softmax([1, 2]);
      const file = await readFile(new URL('relaxed-simd.wasm', 'softmax-wasm'));
      const module = await WebAssembly.compile(file);
      const errors = [{ backend: 'relaxed-simd' }, { module }].map((settings) => {
        try { createKernels(settings); } catch (error) { return error.message; }
      });
      console.log(JSON.stringify({ info: backendInfo(), errors }));`;
    const { stdout } = await runApart(program, [...relaxedSimdFlags, '--no-enable-fma3']);
    const { info, errors } = JSON.parse(stdout);
    expect(info).toEqual({
      name: 'simd128',
      reason: 'fixed-width SIMD is supported',
      tried: [{ name: 'relaxed-simd', error: 'relaxed multiply-add does not fuse on this processor' }],
    });
    const reason = 'relaxed multiply-add does not fuse on this processor';
    expect(errors).toEqual([`createKernels: backend relaxed-simd cannot run: ${reason}`, reason]);
  });

  test('the info is a copy', () => {
    const { backendInfo: info } = createKernels();
    info().name = 'reference';
    info().tried.push({ name: 'simd128', error: '' });
    expect(info()).toEqual(createKernels().backendInfo());
  });
});

describe('a backend by name', () => {
  test.each(sets.filter(({ name }) => name !== 'debug'))('$name', ({ kernels, backend }) => {
    expect(kernels.backendInfo()).toEqual({ name: backend, reason: 'named explicitly', tried: [] });
  });

  test('that cannot run is an error, not another backend', async () => {
    compileOnly();
    const { createKernels: create, init } = await importAnew();
    const message = (operation: string) => `${operation}: backend simd128 cannot run: wasm opcode is not supported`;
    const cause = new WebAssembly.CompileError('wasm opcode is not supported');
    expect(() => create({ backend: 'simd128' })).toThrow(new Error(message('createKernels'), { cause }));
    await expect(init({ backend: 'simd128' })).rejects.toThrow(new Error(message('init')));
    expect(create({ backend: 'reference' }).backendInfo().name).toBe('reference');
  });
});

describe('init', () => {
  test('compiles without blocking and says what runs', async () => {
    const blocking: unknown[] = [];
    stubWebAssembly({
      Module: new Proxy(WebAssembly.Module, {
        construct(target, [bytes]) {
          blocking.push(bytes);
          return new target(bytes);
        },
      }),
    });
    const { init, softmax, backendInfo: info } = await importAnew();
    const told = await init();
    expect(blocking).toEqual([]);
    expect(told).toEqual(info());
    softmax(X);
    expect(blocking).toEqual([]);
  });

  test.skipIf(missing.length > 0)('compiles each module once, and none of another backend', async () => {
    const compiled: string[] = [];
    const { compile } = WebAssembly;
    stubWebAssembly({
      compile: (bytes: Uint8Array<ArrayBuffer>) => {
        compiled.push(String(bytes));
        return compile(bytes);
      },
    });
    for (const backend of [undefined, 'simd128'] as const) {
      const { init } = await importAnew();
      compiled.length = 0;
      const { name } = await init({ backend });
      const expected = modulesOf(name as ModuleBackend).map(String);
      expect(new Set(compiled)).toEqual(new Set(expected));
      expect(compiled.length).toBe(expected.length);
      await init({ backend });
      expect(compiled.length).toBe(expected.length);
    }
  });

  test('ignores a module that does not compile until a call needs it', async () => {
    compileOnly(link(core, 'simd128'), link(half, 'simd128'));
    const { init, softmax, backendInfo: info } = await importAnew();
    expect((await init()).name).toBe('simd128');
    expect(warn).not.toHaveBeenCalled();
    expect([...softmax([0, 0])]).toEqual([0.5, 0.5]);
    expect(info().name).toBe('reference');
    expect(warn).toHaveBeenCalledTimes(1);
  });

  test('sets the module-level functions up; earlier tensors keep their set', async () => {
    const { init, softmax, tensor, backendInfo: info, memoryUsage } = await importAnew();
    const before = tensor([1, 1]);
    expect((await init({ backend: 'reference' })).name).toBe('reference');
    expect(info().name).toBe('reference');
    expect(memoryUsage()).toEqual({ bytes: 0, tensors: 0 });
    expect([...before.data]).toEqual([1, 1]);
    expect(() => softmax(before)).toThrow('softmax: x is a tensor of another set of kernels');
    before.dispose();
    expect(before.disposed).toBe(true);
    expect([...softmax([0, 0])]).toEqual([0.5, 0.5]);
  });

  test('a failure changes nothing', async () => {
    const { init, tensor, softmax, backendInfo: info } = await importAnew();
    await init({ backend: 'simd128' });
    const x = tensor([0, 0]);
    await expect(init({ backend: 'simd128', module: await restamped('other') })).rejects.toThrow(TypeError);
    expect(info().name).toBe('simd128');
    expect([...softmax(x).data]).toEqual([0.5, 0.5]);
  });

  test('of several calls, the last one takes effect, whichever takes the longest', async () => {
    const { init, backendInfo: info } = await importAnew();
    const settings = [{ backend: 'reference' }, { backend: 'simd128' }, { backend: 'reference' }] as const;
    const told = await Promise.all(settings.map((each) => init(each)));
    expect(told.map(({ name }) => name)).toEqual(['reference', 'simd128', 'reference']);
    expect(info().name).toBe('reference');
  });

  test('the reference begins with memory for some tensors, because detaching a buffer slows its loops down', () => {
    const { tensor, zeros } = createKernels({ backend: 'reference' });
    const view = tensor([1, 2]).data;
    zeros([2 ** 19]);
    expect(view.length).toBe(2);
    const small = createKernels({ backend: 'reference', maxMemory: 2 ** 20 });
    expect(small.zeros([1]).data.buffer.byteLength).toBe(2 ** 20);
  });

  test('the memory of the reference grows without a detached buffer, unless a caller may hold a view', () => {
    const clone = vi.spyOn(globalThis, 'structuredClone');
    const { tensor, zeros } = createKernels({ backend: 'reference' });
    const x = tensor([1, 2]);
    zeros([2 ** 20]);
    expect(x.toArray()).toEqual(Float32Array.of(1, 2));
    expect(x.copyTo(new Float32Array(2))).toEqual(Float32Array.of(1, 2));
    zeros([2 ** 21]);
    expect(clone).not.toHaveBeenCalled();
    const views = [x.data, x[Symbol.iterator]()] as const;
    zeros([2 ** 22]);
    expect(views[0].length).toBe(0);
    expect(() => views[1].next()).toThrow(TypeError);
    expect(x.data).toEqual(Float32Array.of(1, 2));
    clone.mockRestore();
  });

  test('maxMemory holds', async () => {
    const { init, zeros, OutOfMemoryError } = await importAnew();
    await init({ maxMemory: 2 ** 21 });
    expect(() => zeros([2 ** 20])).toThrow(OutOfMemoryError);
  });
});

describe('an engine that compiles nothing large on its main thread', () => {
  /** As Chromium up to about 114: neither Module nor Instance for more than 4 KB; compile and instantiate as always. */
  async function refuseLarge(): Promise<void> {
    const { Module, Instance } = WebAssembly;
    const message = (what: string, instead: string) =>
      `WebAssembly.${what} is disallowed on the main thread, if the buffer size is larger than 4KB. Use ${instead}.`;
    const large = new WeakSet<WebAssembly.Module>();
    const RefusingModule = new Proxy(Module, {
      construct(target, [bytes]) {
        if (bytes.length <= 4096) return new target(bytes);
        throw new RangeError(message('Compile', 'WebAssembly.compile, or compile on a worker thread'));
      },
    });
    const RefusingInstance = new Proxy(Instance, {
      construct(target, [module, imports]) {
        if (!large.has(module)) return new target(module, imports);
        throw new RangeError(message('Instance', 'WebAssembly.instantiate'));
      },
    });
    const { compile } = WebAssembly;
    stubWebAssembly({
      Module: RefusingModule,
      Instance: RefusingInstance,
      compile: async (bytes: Uint8Array<ArrayBuffer>) => {
        const module = await compile(bytes);
        if (bytes.length > 4096) large.add(module);
        return module;
      },
    });
  }

  test('gives the reference with a warning that names init, and SIMD after it', async () => {
    await refuseLarge();
    const { init, softmax, logSumExp, tensor, backendInfo: info, createKernels: create } = await importAnew();
    // Small modules compile, so the failure shows with the first kernel.
    expect([...softmax([0, 0])]).toEqual([0.5, 0.5]);
    expect(logSumExp([0])).toBe(0);
    expect(info().name).toBe('reference');
    expect(info().tried.map(({ error }) => error)).toEqual([
      expect.stringMatching(/^WebAssembly\.Compile is disallowed/),
    ]);
    expect(warn.mock.calls).toEqual([
      [
        expect.stringMatching(
          /which is slow \([\w-]+: WebAssembly.*\); await init\(\) first: it compiles without blocking, which is allowed$/,
        ),
      ],
    ]);
    const before = tensor([0, 0]);
    const told = await init();
    expect(told.name).not.toBe('reference');
    expect(told).toEqual(info());
    expect([...softmax([0, 0])]).toEqual([0.5, 0.5]);
    expect([...before.data]).toEqual([0, 0]);
    expect((await init({ backend: 'simd128' })).name).toBe('simd128');
    expect([...softmax([0, 0])]).toEqual([0.5, 0.5]);
    expect(warn).toHaveBeenCalledTimes(1);
    const named = create({ backend: 'simd128' });
    expect(() => named.softmax([0, 0])).toThrow(/^softmax: backend simd128 cannot run: WebAssembly\.Instance is/);
  });

  test('keeps its backend until init is done, also for calls in the meantime', async () => {
    await refuseLarge();
    const { init, logSumExp, backendInfo: info } = await importAnew();
    let isDone = false;
    const done = init().finally(() => {
      isDone = true;
    });
    while (!isDone) {
      expect(logSumExp([0])).toBe(0);
      await new Promise((resolve) => setTimeout(resolve));
    }
    await done;
    logSumExp([0]);
    expect(info().name).not.toBe('reference');
  });

  test('takes a module that init is given', async () => {
    await refuseLarge();
    const module = await packaged('simd128');
    const { init, softmax } = await importAnew();
    expect(await init({ module })).toEqual({ name: 'simd128', reason: 'its module was given', tried: [] });
    expect([...softmax([0, 0])]).toEqual([0.5, 0.5]);
  });
});

describe('a page whose Content-Security-Policy forbids WebAssembly', () => {
  test.each([
    "WebAssembly.Module(): Refused to compile or instantiate WebAssembly module because neither 'wasm-eval' nor 'unsafe-eval' is an allowed source of script in the following Content Security Policy directive: \"script-src 'self'\"",
    'call to WebAssembly.Module() blocked by CSP',
    'WebAssembly.Module(): Wasm code generation disallowed by embedder',
  ])('is told what to allow: %s', async (message) => {
    const refusing = () => {
      throw new WebAssembly.CompileError(message);
    };
    stubWebAssembly({
      Module: new Proxy(WebAssembly.Module, { construct: refusing }),
      compile: async () => refusing(),
    });
    const { init, softmax } = await importAnew();
    expect([...softmax([0, 0])]).toEqual([0.5, 0.5]);
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn.mock.calls[0]?.[0]).toMatch(
      /\); allow 'wasm-unsafe-eval' in the script-src of the page's Content-Security-Policy, .*await init\(\{ module \}\)$/,
    );
    expect(String(warn.mock.calls[0]?.[0]).split('wasm-unsafe-eval').length).toBe(2);
    expect((await init()).name).toBe('reference');
  });
});

describe('createKernels', () => {
  test('has all functions, on a backend and memory of its own', async () => {
    const all = await importAnew();
    // The diagram needs no kernels.
    const functions = Object.entries(all)
      .filter(
        ([name, value]) =>
          typeof value === 'function' && !/^[A-Z]|^(init|createKernels|createRandom|reliabilityDiagram)$/.test(name),
      )
      .map(([name]) => name);
    expect(functions).toContain('softmax');
    const set = all.createKernels({ backend: 'reference' });
    expect(Object.keys(set).sort()).toEqual(functions.sort());
    set.tensor([1, 2]);
    expect(set.memoryUsage().tensors).toBe(1);
    expect(all.memoryUsage().tensors).toBe(0);
    expect(all.createKernels().memoryUsage().tensors).toBe(0);
  });

  test('functions work taken out of the set', () => {
    const { softmax } = createKernels({ backend: 'reference' });
    expect([...softmax([0, 0])]).toEqual([0.5, 0.5]);
  });

  test('the reference uses no WebAssembly code', async () => {
    compileOnly();
    const { createKernels: create } = await importAnew();
    expect([...create({ backend: 'reference' }).softmax([0, 0])]).toEqual([0.5, 0.5]);
  });
});

describe('module', () => {
  test('compiled from the packaged files', async () => {
    for (const name of ['simd128', 'relaxed-simd'] as const) {
      if (missing.some((set) => set.name === name)) continue;
      const module = await packaged(name);
      for (const backend of [undefined, 'auto', name] as const) {
        const set = createKernels({ module, backend });
        expect(set.backendInfo()).toEqual({ name, reason: 'its module was given', tried: [] });
        expect([...set.softmax([0, 0])]).toEqual([0.5, 0.5]);
      }
    }
  });

  test('is used where compiling bytes is forbidden', async () => {
    const module = await packaged('simd128');
    // A page's Content-Security-Policy reports what was tried and forbidden.
    const compile = vi.fn();
    stubWebAssembly({ Module: new Proxy(WebAssembly.Module, { construct: compile }), compile });
    const { createKernels: create, init, softmax } = await importAnew();
    expect([...create({ module }).softmax([0, 0])]).toEqual([0.5, 0.5]);
    expect((await init({ module })).name).toBe('simd128');
    expect([...softmax([0, 0])]).toEqual([0.5, 0.5]);
    expect(compile).not.toHaveBeenCalled();
  });

  test('of another version is refused', async () => {
    const pattern = (found: string) =>
      new RegExp(
        `^createKernels: module is stamped "${found}", expected "\\d+\\.\\d+\\.\\d+ asc [\\d.]+ [0-9a-f]+ simd128"$`,
      );
    const other = await restamped('9.9.9 asc 0.1 simd128');
    const none = await restamped(undefined);
    for (const [module, found] of [
      [other, '9.9.9 asc 0.1 simd128'],
      [none, 'no stamp'],
    ] as const) {
      expect(() => createKernels({ module })).toThrow(TypeError);
      expect(() => createKernels({ module })).toThrow(pattern(found));
    }
    expect(await restamped('x').then((module) => WebAssembly.Module.exports(module).length)).toBeGreaterThan(5);
  });

  test('of another backend than named is refused', async () => {
    const module = await packaged('simd128');
    expect(() => createKernels({ module, backend: 'relaxed-simd' })).toThrow(TypeError);
    expect(() => createKernels({ module, backend: 'reference' })).toThrow(
      new TypeError('createKernels: backend "reference" takes no module'),
    );
  });

  test('the debug build asserts: its code differs from the shipped one', async () => {
    const shipped = await packaged('simd128');
    expect(WebAssembly.Module.imports(shipped).map(({ name }) => name)).toEqual(['memory']);
    expect(
      WebAssembly.Module.imports(debugModule)
        .map(({ name }) => name)
        .sort(),
    ).toEqual(['abort', 'memory']);
  });
});

/** A module of f32x4.relaxed_madd. */
const RELAXED = Uint8Array.from(
  [
    [0, 97, 115, 109, 1, 0, 0, 0],
    [1, 5, 1, 96, 0, 1, 123],
    [3, 2, 1, 0],
    [10, 19, 1, 17, 0, 65, 0, 253, 15, 65, 0, 253, 15, 65, 0, 253, 15, 253, 133, 2, 11],
  ].flat(),
);

test('all sets run here, except relaxed SIMD if the engine or the processor lacks it', () => {
  expect(sets.length + missing.length).toBe(4);
  for (const { name, error } of missing) {
    expect(name).toBe('relaxed-simd');
    if (WebAssembly.validate(RELAXED)) expect(error).toContain('fuse');
  }
  expect(['relaxed-simd', 'simd128', 'reference']).toContain(backendInfo().name);
});
