import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import katex from 'katex';
import { defineConfig } from 'vite';

const ISOLATED = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' };
const pathTo = (file) => fileURLToPath(new URL(file, import.meta.url));

/** Puts the sections into the page, and MathML, which needs neither fonts nor a style sheet, for what is between <tex> tags. */
const page = {
  name: 'page',
  transformIndexHtml: {
    order: 'pre',
    handler: (html) =>
      html
        .replace(/<!-- section (\w+) -->/g, (_, name) => readFileSync(pathTo(`sections/${name}.html`), 'utf8'))
        .replace(/<tex>(.*?)<\/tex>/gs, (_, formula) =>
          katex.renderToString(formula, { output: 'mathml', displayMode: true, throwOnError: true }),
        ),
  },
};

export default defineConfig({
  root: pathTo('.'),
  // Relative addresses: the site works from any folder of a server.
  base: './',
  resolve: { alias: { 'softmax-wasm': pathTo('../dist/index.js') } },
  build: { outDir: 'dist', target: 'es2022', modulePreload: { polyfill: false }, assetsInlineLimit: 0 },
  worker: { format: 'es' },
  // Isolated from other origins, a page may share memory between threads: the benchmark has a column for them.
  preview: { host: '127.0.0.1', headers: ISOLATED },
  plugins: [page],
});
