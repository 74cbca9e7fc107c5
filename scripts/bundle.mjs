// Writes the bundles in dist/: one file with everything, minified, for <script type="module"> without an import map; the
// same without the embedded modules, for pages that serve a .wasm file and pass it to init; and a few files for Node,
// which takes three times as long to import the modules one by one.
import { readFileSync } from 'node:fs';
import { build } from 'esbuild';
import { rolldown } from 'rolldown';

/** Leaves the modules out: the text of their functions, and what links them. */
const withoutModules = {
  name: 'without-modules',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\/link\.js$/ }, ({ path, resolveDir }) => ({
      path: new URL(path.replace('link.js', 'link-none.js'), `file://${resolveDir}/`).pathname,
    }));
    onLoad({ filter: /\/generated\/functions\.js$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replace(/^(export const \w+ =).*?;$/gms, '$1 {};'),
    }));
  },
};

/** @type {import('esbuild').BuildOptions} */
const options = { entryPoints: ['dist/index.js'], bundle: true, format: 'esm', target: 'es2022' };
await build({ ...options, minify: true, outfile: 'dist/softmax-wasm.min.js' });
await build({ ...options, plugins: [withoutModules], outfile: 'dist/bare.js' });

// The entries share their code, so that a program that imports two of them has one runtime. Rolldown keeps constants:
// esbuild makes variables of them, with which V8 takes up to a fifth longer for a call on ten elements.
const entries = ['index', 'tfjs/index', 'transformers/index'];
const forNode = await rolldown({
  input: Object.fromEntries(entries.map((name) => [name, `dist/${name}.js`])),
  external: ['@assemblyscript/loader'],
  platform: 'neutral',
});
await forNode.write({ dir: 'dist/node', entryFileNames: '[name].js', chunkFileNames: 'shared-[hash].js' });
await forNode.close();
