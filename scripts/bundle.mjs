// Writes the builds in dist/ that consist of one file: everything, minified, for <script type="module"> without an
// import map; and everything but the embedded modules, for pages that serve a .wasm file and pass it to init.
import { readFileSync } from 'node:fs';
import { build } from 'esbuild';

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
