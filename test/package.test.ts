import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { installPackage, type Project, ROOT } from './support/package.js';

/** `softmax([2, 1, 0.1])` and the class of its result, as the programs below print it. */
const EXPECTED = 'Float32Array 0.659 0.242 0.099';
const PRINT = 'const p = softmax([2, 1, 0.1]); console.log(p.constructor.name, ...Array.from(p, (v) => v.toFixed(3)));';
const REQUIRES_MODULES = 'require_module' in process.features;

describe('the packed package, installed into an empty project', () => {
  let project: Project;

  beforeAll(async () => {
    project = await installPackage();
  }, 120_000);

  afterAll(() => project.remove());

  test('ESM import', async () => {
    await project.write('import.mjs', `import { softmax } from 'softmax-wasm'; ${PRINT}`);
    expect(await project.run(process.execPath, 'import.mjs')).toBe(EXPECTED);
  });

  test.skipIf(!REQUIRES_MODULES)('require()', async () => {
    await project.write('require.cjs', `const { softmax } = require('softmax-wasm'); ${PRINT}`);
    expect(await project.run(process.execPath, 'require.cjs')).toBe(EXPECTED);
  });

  test('in Node, entries of a few files each, which share one runtime', async () => {
    await project.write(
      'entries.mjs',
      `let memories = 0;
      const { Memory } = WebAssembly;
      WebAssembly.Memory = class extends Memory { constructor(limits) { super(limits); memories++; } };
      const { softmax } = await import('softmax-wasm');
      const { samplingProcessor } = await import('softmax-wasm/transformers');
      softmax([2, 1, 0.1]);
      const before = memories;
      const processor = samplingProcessor(class {}, { seed: 1 });
      const logits = { type: 'float32', data: Float32Array.of(2, 1, 0.1), dims: [1, 3] };
      processor._call([[1n]], logits);
      const entry = (name) => import.meta.resolve(name).split('/softmax-wasm/')[1];
      console.log(entry('softmax-wasm'), entry('softmax-wasm/tfjs'), memories - before);`,
    );
    const entries = 'dist/node/index.js dist/node/tfjs/index.js';
    expect(await project.run(process.execPath, 'entries.mjs')).toBe(`${entries} 0`);
    const files = await readdir(project.path('node_modules/softmax-wasm/dist/node'));
    expect(files.length).toBeLessThan(10);
  });

  test('the modules as files', async () => {
    await project.write(
      'module.mjs',
      `import { readFileSync } from 'node:fs';
      import { createRequire } from 'node:module';
      import { createKernels } from 'softmax-wasm';
      const path = createRequire(import.meta.url).resolve('softmax-wasm/simd128.wasm');
      const { softmax, backendInfo } = createKernels({ module: new WebAssembly.Module(readFileSync(path)) });
      console.log(backendInfo().name);
      ${PRINT}`,
    );
    expect(await project.run(process.execPath, 'module.mjs')).toBe(`simd128\n${EXPECTED}`);
  });

  test('one file for <script type="module">, which imports nothing', async () => {
    const file = await readFile(project.path('node_modules/softmax-wasm/dist/softmax-wasm.min.js'), 'utf8');
    await project.write('copied.mjs', file);
    await project.write('single.mjs', `import { softmax, backendInfo } from './copied.mjs'; ${PRINT}`);
    expect(await project.run(process.execPath, 'single.mjs')).toBe(EXPECTED);
    expect(/(^|[;}\n])import\b/.test(file)).toBe(false);
  });

  test('the entry without modules of its own, given one', async () => {
    await project.write(
      'bare.mjs',
      `import { readFileSync } from 'node:fs';
      import { createRequire } from 'node:module';
      import { backendInfo, init, softmax } from 'softmax-wasm/bare';
      const path = createRequire(import.meta.url).resolve('softmax-wasm/simd128.wasm');
      await init({ module: await WebAssembly.compile(readFileSync(path)) });
      console.log(backendInfo().name);
      ${PRINT}`,
    );
    expect(await project.run(process.execPath, 'bare.mjs')).toBe(`simd128\n${EXPECTED}`);
    await project.write(
      'none.mjs',
      `import { backendInfo, createKernels, softmax } from 'softmax-wasm/bare';
      console.warn = () => undefined;
      ${PRINT}
      console.log(backendInfo().name, backendInfo().tried[1].error);
      try { createKernels({ backend: 'simd128' }); } catch (error) { console.log(error.message); }`,
    );
    const error = 'softmax-wasm/bare embeds no modules: await init({ module }) first';
    expect(await project.run(process.execPath, 'none.mjs')).toBe(
      `${EXPECTED}\nreference ${error}\ncreateKernels: backend simd128 cannot run: ${error}`,
    );
    // The text of a module is one word of thousands of characters.
    const textOf = (name: string) => readFile(project.path(`node_modules/softmax-wasm/dist/${name}`), 'utf8');
    expect(await textOf('softmax-wasm.min.js')).toMatch(/\S{5000}/);
    expect(await textOf('bare.js')).not.toMatch(/['"][^'"\s]{1000}/);
  });

  test('has no scripts, because these need files that it lacks', async () => {
    const text = await readFile(project.path('node_modules/softmax-wasm/package.json'), 'utf8');
    const published = JSON.parse(text) as Record<string, unknown>;
    expect(published).not.toHaveProperty('scripts');
    expect(published).not.toHaveProperty('devDependencies');
    expect(published.main).toBe('./dist/index.js');
  });

  test.each([
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ])('types resolve: module %s, moduleResolution %s', async (module, moduleResolution) => {
    await project.write(
      'types.mts',
      `import { softmax, logSumExp, tensor, type Tensor } from 'softmax-wasm';
      const row: Float32Array = softmax([1, 2]);
      const wide: Float64Array = softmax(new Float64Array(2));
      const total: number = logSumExp([1, 2]);
      const resident: Tensor = softmax(tensor([[1, 2]]));
      // @ts-expect-error: the option is called axis
      softmax([1, 2], { dim: 0 });
      console.log(row, wide, total, resident);`,
    );
    const options = {
      module,
      moduleResolution,
      target: 'es2022',
      lib: ['es2022', 'dom'],
      strict: true,
      types: [],
      noEmit: true,
      // Errors in TypeScript's own declarations, not in the package's.
      skipDefaultLibCheck: true,
    };
    await project.write('tsconfig.json', JSON.stringify({ compilerOptions: options, files: ['types.mts'] }));
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
    const problems = await project.run(process.execPath, tsc, '-p', '.').catch(({ stdout }) => stdout);
    expect(problems).toBe('');
  });

  test('bundling softmax alone leaves the other operations out', async () => {
    await project.write('one.mjs', `import { softmax } from 'softmax-wasm'; ${PRINT}`);
    await project.write('all.mjs', "import * as all from 'softmax-wasm'; console.log(all);");
    const bundle = async (entry: string) => {
      const options = { bundle: true, minify: true, write: false, format: 'esm', platform: 'neutral' } as const;
      const { outputFiles, warnings } = await build({
        ...options,
        entryPoints: [project.path(entry)],
        mainFields: ['main'],
      });
      expect(warnings).toEqual([]);
      return outputFiles[0]!.text;
    };
    const [one, all] = await Promise.all([bundle('one.mjs'), bundle('all.mjs')]);
    expect(all).toContain('logSumExp');
    expect(all).toContain('calibrationState');
    expect(one).not.toContain('State');
    expect(one).not.toContain('logSumExp');
    expect(one).not.toContain('logSoftmax');
    expect(one).not.toContain('createKernels:');
    await project.write('bundled.mjs', one);
    expect(await project.run(process.execPath, 'bundled.mjs')).toBe(EXPECTED);
  });
});
