// The builds of dist/ that are one file each: everything, minified, for <script type="module"> without an import map; and
// the same without embedded modules, for those who serve a .wasm file and give it to init.
import { build } from 'esbuild';

/** Leaves the modules out: their text, and what reads it. */
const withoutModules = {
  name: 'without-modules',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\/embedded\.js$/ }, ({ path, resolveDir }) => ({
      path: new URL(path.replace('embedded.js', 'embedded-none.js'), `file://${resolveDir}/`).pathname,
    }));
    onLoad({ filter: /\/generated\/\w+\.js$/ }, ({ path }) =>
      /\/(families|kernels|layout|stamp)\.js$/.test(path)
        ? undefined
        : { contents: "export const text = '', patch = '';" },
    );
  },
};

/** @type {import('esbuild').BuildOptions} */
const options = { entryPoints: ['dist/index.js'], bundle: true, format: 'esm', target: 'es2022' };
await build({ ...options, minify: true, outfile: 'dist/softmax-wasm.min.js' });
await build({ ...options, plugins: [withoutModules], outfile: 'dist/bare.js' });
