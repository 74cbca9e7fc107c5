import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { build } from 'esbuild';
import { describe, expect, test } from 'vitest';
// @ts-expect-error: plain JavaScript
import { BROWSERS, isInstalled } from '../../bench/browser/browsers.mjs';

interface Browser {
  request(text: string): Promise<string>;
  close(): Promise<void>;
}

const PACKAGES = new URL('node_modules/@tensorflow/', import.meta.url);
const ISOLATED = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' };
const PAGE = `<!doctype html>
<script src="/tf.js"></script>
<script src="/tf-backend-wasm.js"></script>
<script type="module" src="/page.js"></script>`;

/** A page with TensorFlow.js from script tags; isolated from other origins, it may share memory between threads. */
async function serve(isIsolated: boolean) {
  const entry = new URL('page.ts', import.meta.url).pathname;
  const { outputFiles } = await build({ entryPoints: [entry], bundle: true, format: 'esm', write: false });
  const read = (path: string) => readFile(new URL(path, PACKAGES));
  const fileOf = async (path: string) => {
    if (path === '/') return ['text/html', PAGE] as const;
    if (path === '/page.js') return ['text/javascript', outputFiles[0]!.text] as const;
    if (path === '/tf.js') return ['text/javascript', await read('tfjs/dist/tf.min.js')] as const;
    if (path.startsWith('/wasm/'))
      return ['application/wasm', await read(`tfjs-backend-wasm/dist/${path.slice(6)}`)] as const;
    return ['text/javascript', await read('tfjs-backend-wasm/dist/tf-backend-wasm.min.js')] as const;
  };
  const server = createServer(async ({ url = '/' }, response) => {
    const [type, content] = await fileOf(url);
    response.writeHead(200, { ...(isIsolated ? ISOLATED : {}), 'content-type': type }).end(content);
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, close: () => server.close() };
}

describe.each(['Chromium', 'Firefox'])('script tags in %s', (name) => {
  // If the browser is missing, the tests are reported as skipped.
  test.skipIf(!isInstalled(name)).each([
    ['wasm', false],
    ['wasm', true],
    ['cpu', false],
  ] as const)('%s, isolated from other origins: %s', async (backend, isIsolated) => {
    const server = await serve(isIsolated);
    const browser: Browser = await BROWSERS[name](server.url);
    try {
      const { count, failures, memory, threads } = JSON.parse(await browser.request(backend));
      expect(failures).toEqual([]);
      expect(count).toBeGreaterThan(10);
      expect(memory).toBe(backend === 'wasm' ? 'shared' : 'copied');
      expect(threads).toBe(isIsolated);
    } finally {
      await browser.close();
      server.close();
    }
  });
});
