// Serves the page and its worker. The headers isolate the page from other origins: it then gets the browser's most
// precise clock.
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const HEADERS = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' };
const PAGE = '<!doctype html><meta charset="utf-8"><title>bench</title><script type="module" src="/page.js"></script>';

/** Bundles a program with all that it imports, including the library in dist/. */
async function bundle(file) {
  const entry = fileURLToPath(new URL(file, import.meta.url));
  const { outputFiles } = await build({ entryPoints: [entry], bundle: true, format: 'esm', write: false });
  return outputFiles[0].text;
}

/** @returns {Promise<{ url: string, close(): void }>} */
export async function serve() {
  const files = {
    '/': ['text/html', PAGE],
    '/page.js': ['text/javascript', await bundle('page.mjs')],
    '/worker.js': ['text/javascript', await bundle('worker.mjs')],
  };
  const server = createServer(({ url = '' }, response) => {
    const [type, content] = files[url] ?? [];
    if (type === undefined) response.writeHead(404).end();
    else response.writeHead(200, { ...HEADERS, 'content-type': type }).end(content);
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', () => ready(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return { url: `http://127.0.0.1:${port}/`, close: () => server.close() };
}
