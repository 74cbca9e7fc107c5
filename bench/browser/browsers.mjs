// Starts headless browsers. Each function of BROWSERS opens a page and gives { version, request(text), close() }; it
// rejects if the browser is not installed or does not start.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import puppeteer from 'puppeteer-core';

const CPU = { x64: 'x86_64', arm64: 'aarch64' }[process.arch];
/** Where Linux distributions install the programs. An environment variable of the same name is tried first. */
const PLACES = {
  CHROMIUM: ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'],
  FIREFOX: ['/usr/bin/firefox-esr', '/usr/bin/firefox'],
  MINIBROWSER: [`/usr/lib/${CPU}-linux-gnu/webkit2gtk-4.1/MiniBrowser`, '/usr/libexec/webkit2gtk-4.1/MiniBrowser'],
  WEBKITWEBDRIVER: ['/usr/bin/WebKitWebDriver'],
  XVFB: ['/usr/bin/Xvfb'],
};
/** Lets MiniBrowser run without a graphics card, and as root. */
const WEBKIT_ENVIRONMENT = {
  WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1',
  WEBKIT_DISABLE_COMPOSITING_MODE: '1',
  WEBKIT_DISABLE_DMABUF_RENDERER: '1',
};
const START_MILLISECONDS = 20_000;
/** More than any request takes. */
const REQUEST_MILLISECONDS = 600_000;

export const BROWSERS = {
  Chromium: (url) =>
    openWithPuppeteer(url, 'chrome', 'CHROMIUM', ['--no-sandbox', '--disable-gpu', '--disable-background-networking']),
  Firefox: (url) => openWithPuppeteer(url, 'firefox', 'FIREFOX', []),
  WebKit: openWebKit,
};

/** Whether a browser that puppeteer drives is installed. */
export function isInstalled(name) {
  try {
    pathOf(name.toUpperCase());
    return true;
  } catch {
    return false;
  }
}

function pathOf(program) {
  const places = [process.env[program], ...PLACES[program]].filter((path) => path !== undefined);
  const path = places.find(existsSync);
  if (path === undefined) throw new Error(`not found: ${places.join(', ')} ($${program} can name another)`);
  return path;
}

async function openWithPuppeteer(url, kind, program, args) {
  const browser = await puppeteer.launch({
    browser: kind,
    executablePath: pathOf(program),
    args,
    protocolTimeout: REQUEST_MILLISECONDS,
  });
  const page = await browser.newPage();
  await page.goto(url);
  return {
    version: (await browser.version()).split('/')[1],
    request: (text) => page.evaluate((it) => /** @type {any} */ (globalThis).request(it), text),
    close: () => browser.close(),
  };
}

/** WebKitGTK, driven through the WebDriver protocol, on a virtual screen. */
async function openWebKit(url) {
  const binary = pathOf('MINIBROWSER');
  const processes = [];
  const start = (program, args, options) => {
    const child = spawn(pathOf(program), args, { ...options, detached: true });
    processes.push(child);
    return child;
  };
  // Each process leads a group of its own, which includes all that it has started.
  const stop = () => {
    for (const { pid } of processes.splice(0)) {
      try {
        process.kill(-pid);
      } catch {
        // The group has already ended.
      }
    }
  };
  process.once('exit', stop);
  try {
    const screen = start('XVFB', ['-displayfd', '3'], { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
    const display = await firstOutput(screen, 3);
    const port = await freePort();
    const env = { ...process.env, ...WEBKIT_ENVIRONMENT, DISPLAY: `:${display}` };
    start('WEBKITWEBDRIVER', [`--port=${port}`], { env, stdio: 'ignore' });

    const driver = `http://127.0.0.1:${port}`;
    await untilAnswers(`${driver}/status`);

    let session = `${driver}/session`;
    const capabilities = { alwaysMatch: { 'webkitgtk:browserOptions': { binary, args: ['--automation'] } } };
    const { sessionId, capabilities: given } = await webDriver('POST', session, { capabilities });
    session += `/${sessionId}`;
    await webDriver('POST', `${session}/timeouts`, { script: REQUEST_MILLISECONDS });
    await webDriver('POST', `${session}/url`, { url });
    const script = 'const [text, done] = arguments; request(text).then(done);';
    return {
      version: given.browserVersion,
      request: (text) => webDriver('POST', `${session}/execute/async`, { script, args: [text] }),
      async close() {
        await webDriver('DELETE', session).catch(() => {});
        stop();
      },
    };
  } catch (error) {
    stop();
    throw error;
  }
}

async function untilAnswers(url) {
  const deadline = Date.now() + START_MILLISECONDS;
  while (!(await fetch(url).catch(() => undefined))) {
    if (Date.now() > deadline) throw new Error(`no answer from ${url} in ${START_MILLISECONDS / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Sends a command of the WebDriver protocol. @returns the value in the answer */
async function webDriver(method, url, /** @type {unknown} */ body = undefined) {
  const response = await fetch(url, { method, body: body === undefined ? undefined : JSON.stringify(body) });
  const { value } = /** @type {any} */ (await response.json());
  if (!response.ok) throw new Error(`${value.error}: ${value.message}`);
  return value;
}

/** The first line that a process writes to a file descriptor. */
function firstOutput(child, descriptor) {
  return new Promise((resolve, reject) => {
    child.stdio[descriptor].once('data', (data) => resolve(String(data).trim()));
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`${child.spawnfile} ended with ${code}`)));
  });
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
      server.close(() => resolve(port));
    });
  });
}
