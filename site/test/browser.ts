/** The built site in a browser, served from a folder of its own as a plain web server does. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import puppeteer, { type Browser, type Page } from 'puppeteer-core';

const DIST = fileURLToPath(new URL('../dist/', import.meta.url));
const FOLDER = '/some/folder/';
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
}

const firstOf = (...paths: (string | undefined)[]) => paths.find((path) => path !== undefined && existsSync(path));
const chromium = firstOf(process.env.CHROMIUM, '/usr/bin/chromium');
const firefox = firstOf(process.env.FIREFOX, '/usr/bin/firefox-esr', '/usr/bin/firefox');

export const KINDS: readonly Kind[] = [
  { name: 'Chromium', browser: 'chrome', path: chromium, args: CHROMIUM_ARGS },
  { name: 'Firefox', browser: 'firefox', path: firefox, args: [] },
];

/** Chromium on a processor whose instructions V8 does not take for enough to run SIMD. */
export const CHROMIUM_WITHOUT_SIMD: Kind = {
  ...KINDS[0]!,
  args: [...CHROMIUM_ARGS, '--js-flags=--no-enable-ssse3 --no-enable-sse4-1'],
};

/** A browser, and what its pages complained of. */
export class SiteBrowser {
  readonly complaints: string[] = [];
  readonly #browser: Browser;
  readonly #server: Server;
  readonly #origin: string;

  private constructor(browser: Browser, server: Server) {
    this.#browser = browser;
    this.#server = server;
    this.#origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start({ browser, path, args }: Kind): Promise<SiteBrowser> {
    const server = createServer(async (request, response) => {
      const url = normalize(new URL(request.url!, 'http://localhost').pathname);
      try {
        if (!url.startsWith(FOLDER)) throw new Error('outside');
        const file = url.slice(FOLDER.length) || 'index.html';
        const body = await readFile(join(DIST, file));
        response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' }).end(body);
      } catch {
        response.writeHead(404).end();
      }
    });
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
    const started = await puppeteer.launch({ browser, executablePath: path!, args: [...args] });
    return new SiteBrowser(started, server);
  }

  /** The site in a new page; what it writes to the console, and requests that fail or go elsewhere, are complaints. */
  async open(width = 1024, height = 800): Promise<Page> {
    const page = await this.#browser.newPage();
    await page.setViewport({ width, height });
    page.on('console', (message) => this.complaints.push(`console: ${message.text()}`));
    page.on('pageerror', (error) => this.complaints.push(`error: ${String(error)}`));
    page.on('requestfailed', (request) => this.complaints.push(`failed: ${request.url()}`));
    page.on('response', (response) => {
      if (response.status() >= 400) this.complaints.push(`status ${response.status()}: ${response.url()}`);
    });
    page.on('request', (request) => {
      const isOwn = request.url().startsWith(this.#origin + FOLDER) || request.url().startsWith('data:');
      if (!isOwn) this.complaints.push(`foreign: ${request.url()}`);
    });
    await page.goto(this.#origin + FOLDER);
    await page.waitForFunction("document.getElementById('backend').textContent !== '…'");
    return page;
  }

  async close(): Promise<void> {
    await this.#browser.close();
    this.#server.close();
  }
}
