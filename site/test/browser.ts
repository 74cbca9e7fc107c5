/** Opens the built site in a browser. It is served from a subfolder, as by a plain web server. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import puppeteer, { type Browser, type Page } from 'puppeteer-core';

const DIST = fileURLToPath(new URL('../dist/', import.meta.url));
/** Folders with the same files: one is served plainly, the other isolated from other origins, which threads need. */
const [PLAIN, ISOLATED] = ['/some/folder/', '/isolated/'];
const ISOLATION = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' };
const TYPES: Record<string, string> = {
  '.css': 'text/css',
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
};
const CHROMIUM_ARGS = ['--no-sandbox', '--disable-gpu', '--disable-background-networking'];

interface Kind {
  readonly name: string;
  readonly browser: 'chrome' | 'firefox';
  readonly path: string | undefined;
  readonly args: readonly string[];
  readonly preferences?: Record<string, number>;
}

const firstOf = (...paths: (string | undefined)[]) => paths.find((path) => path !== undefined && existsSync(path));
const chromium = firstOf(process.env.CHROMIUM, '/usr/bin/chromium');
const firefox = firstOf(process.env.FIREFOX, '/usr/bin/firefox-esr', '/usr/bin/firefox');

export const KINDS: readonly Kind[] = [
  { name: 'Chromium', browser: 'chrome', path: chromium, args: CHROMIUM_ARGS },
  { name: 'Firefox', browser: 'firefox', path: firefox, args: [] },
];

/** The same browser, with preferences for dark pages and reduced motion. */
export function darkAndStill(kind: Kind): Kind {
  return {
    ...kind,
    args: kind.browser === 'chrome' ? [...kind.args, '--force-dark-mode', '--force-prefers-reduced-motion'] : kind.args,
    preferences: { 'ui.systemUsesDarkTheme': 1, 'ui.prefersReducedMotion': 1 },
  };
}

/** Chromium on a simulated processor that lacks the instructions V8 requires for SIMD. */
export const CHROMIUM_WITHOUT_SIMD: Kind = {
  ...KINDS[0]!,
  args: [...CHROMIUM_ARGS, '--js-flags=--no-enable-ssse3 --no-enable-sse4-1'],
};

/** The page's policy, sent with every file, because a worker is subject to the policy of its own file. */
const POLICY = /http-equiv="Content-Security-Policy"\s+content="([^"]*)"/;

/** A browser, and the complaints of its pages. */
export class SiteBrowser {
  readonly complaints: string[] = [];
  /** The addresses requested by pages and workers. */
  readonly requests: string[];
  readonly #browser: Browser;
  readonly #server: Server;
  readonly #origin: string;

  private constructor(browser: Browser, server: Server, requests: string[]) {
    this.#browser = browser;
    this.#server = server;
    this.requests = requests;
    this.#origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start({ browser, path, args, preferences }: Kind): Promise<SiteBrowser> {
    const requests: string[] = [];
    const policy = (await readFile(join(DIST, 'index.html'), 'utf8')).match(POLICY)![1]!;
    const server = createServer(async (request, response) => {
      const url = normalize(new URL(request.url!, 'http://localhost').pathname);
      try {
        const folder = [PLAIN, ISOLATED].find((it) => url.startsWith(it));
        if (folder === undefined) throw new Error('outside');
        const file = url.slice(folder.length) || 'index.html';
        const body = await readFile(join(DIST, file));
        requests.push(file);
        response
          .writeHead(200, {
            'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
            'content-security-policy': policy,
            ...(folder === ISOLATED ? ISOLATION : {}),
          })
          .end(body);
      } catch {
        response.writeHead(404).end();
      }
    });
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
    const started = await puppeteer.launch({
      browser,
      executablePath: path!,
      args: [...args],
      ...(browser === 'firefox' && preferences !== undefined ? { extraPrefsFirefox: preferences } : {}),
    });
    return new SiteBrowser(started, server, requests);
  }

  /** Opens the site in a new page. Console output, and requests that fail or go to other origins, are complaints. */
  async open({ width = 1024, height = 800, isIsolated = false } = {}): Promise<Page> {
    const folder = isIsolated ? ISOLATED : PLAIN;
    const page = await this.#browser.newPage();
    await page.setViewport({ width, height });
    page.on('console', (message) => this.complaints.push(`console: ${message.text()}`));
    page.on('pageerror', (error) => this.complaints.push(`error: ${String(error)}`));
    page.on('requestfailed', (request) => this.complaints.push(`failed: ${request.url()}`));
    page.on('response', (response) => {
      if (response.status() >= 400) this.complaints.push(`status ${response.status()}: ${response.url()}`);
    });
    page.on('request', (request) => {
      const isOwn = request.url().startsWith(this.#origin + folder) || request.url().startsWith('data:');
      if (!isOwn) this.complaints.push(`foreign: ${request.url()}`);
    });
    await page.goto(this.#origin + folder);
    await page.waitForFunction("document.getElementById('backend').textContent !== '…'");
    return page;
  }

  async close(): Promise<void> {
    await this.#browser.close();
    this.#server.close();
  }
}
