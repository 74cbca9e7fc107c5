// Writes the bundles in dist/: one file with everything, minified, for <script type="module"> without an import map; the
// same without the embedded modules, for pages that serve a .wasm file and pass it to init; and a few files for Node,
// which takes three times as long to import the modules one by one.
//
// Rolldown keeps constants: esbuild makes variables of them, with which V8 takes up to a fifth longer for a call on ten
// elements.
import { readFileSync } from 'node:fs';
import { build } from 'rolldown';

/** Leaves the modules out: the text of their functions, and what links them. */
const withoutModules = {
  name: 'without-modules',
  load(path) {
    if (path.endsWith('/wasm/link.js')) return readFileSync(path.replace('link.js', 'link-none.js'), 'utf8');
    if (!path.endsWith('/generated/functions.js')) return null;
    return readFileSync(path, 'utf8').replace(/^(export const \w+ =).*?;$/gms, '$1 {};');
  },
};

/** @type {import('rolldown').BuildOptions} */
const options = {
  input: 'dist/index.js',
  platform: 'neutral',
  resolve: { mainFields: ['module', 'main'] },
  transform: { target: 'es2022' },
};
await build({ ...options, output: { file: 'dist/softmax-wasm.min.js', minify: true } });
await build({ ...options, plugins: [withoutModules], output: { file: 'dist/bare.js' } });
// The entries share their code, so that a program that imports two of them has one runtime.
const entries = ['index', 'tfjs/index', 'transformers/index'];
await build({
  ...options,
  input: Object.fromEntries(entries.map((name) => [name, `dist/${name}.js`])),
  external: ['@assemblyscript/loader'],
  output: { dir: 'dist/node', entryFileNames: '[name].js', chunkFileNames: 'shared-[hash].js' },
});
