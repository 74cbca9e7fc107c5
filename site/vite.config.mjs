import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import katex from 'katex';
import { defineConfig } from 'vite';

const ISOLATED = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' };
const pathTo = (file) => fileURLToPath(new URL(file, import.meta.url));

/** The sections in their order. Each is a file in sections/ that begins with its title. */
const SECTIONS = ['softmax', 'sampling', 'calibration', 'losses', 'attention', 'training', 'own', 'benchmark'].map(
  (id) => {
    const html = readFileSync(pathTo(`sections/${id}.html`), 'utf8');
    const [, title] = html.match(/<h2>(.*?)<\/h2>/);
    return { id, title, html: html.replace('<h2>', `<h2 id="${id}-title">`) };
  },
);

const section = ({ id, html }) => `<section id="${id}" aria-labelledby="${id}-title">\n${html}</section>`;
const link = ({ id, title }) => `<li><a href="#${id}">${title}</a></li>`;
/** A slider, labelled with its name and its value in digits. */
const slider = (_, id, name, range) =>
  `<label>${name} <output aria-live="off" data-id="${id}-value"></output><input type="range" data-id="${id}" ${range} /></label>`;
/** MathML needs neither fonts nor a style sheet. */
const formula = (_, tex) => katex.renderToString(tex, { output: 'mathml', displayMode: true, throwOnError: true });

/** Expands the placeholders of the page: sections, links to them, sliders and formulas. */
const page = {
  name: 'page',
  transformIndexHtml: {
    order: 'pre',
    handler: (html) =>
      html
        .replace('<!-- sections -->', () => SECTIONS.map(section).join('\n'))
        .replace('<!-- links -->', () => SECTIONS.map(link).join('\n'))
        .replace(/<slider id="([\w-]+)" name="(.*?)" (.*?) \/>/g, slider)
        .replace(/<tex>(.*?)<\/tex>/gs, formula),
  },
};

/** Delays the first paint until the script has filled the page, so that nothing moves. Vite removes this attribute. */
const painted = {
  name: 'painted',
  transformIndexHtml: {
    order: 'post',
    handler: (html) => html.replace('<script type="module"', '<script type="module" blocking="render"'),
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
  plugins: [page, painted],
});
