import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { ElementHandle, Page } from 'puppeteer-core';
import * as library from 'softmax-wasm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runDocumented } from '../../test/support/documentation.js';
import { EPOCHS, Trainer } from '../lib/trainer.js';
import { CHROMIUM_WITHOUT_SIMD, KINDS, SiteBrowser } from './browser.js';
import { npy } from './npy.js';

const AXE = fileURLToPath(new URL('../node_modules/axe-core/axe.min.js', import.meta.url));
const DIST = fileURLToPath(new URL('../dist/', import.meta.url));
const HTML = readFileSync(`${DIST}index.html`, 'utf8');

/** A folder to write pictures of the sections to, for a look at them; a file for the one in the README. */
const { PICTURE, SCREENSHOTS } = process.env;

/** The numbers of a column of a section's table, as they are shown. */
async function column(page: Page, section: string, selector: string): Promise<string[]> {
  return page.$$eval(`#${section} tbody ${selector}`, (cells) => cells.map(({ textContent }) => textContent ?? ''));
}

/** The examples of the section on calibration. */
function madeUpExamples() {
  const random = library.createRandom(1);
  const logits = Float32Array.from({ length: 20_000 }, () => 4 * (random() - 0.5));
  return { logits, labels: library.sample(logits, { shape: [4000, 5], seed: 1 }) };
}

const shown = (values: Iterable<number>) => Array.from(values, (value) => value.toFixed(4));

/** Longer than an epoch takes. */
const rest = () => new Promise((resolve) => setTimeout(resolve, 500));

/** Clicks the button of this text. */
async function click(page: Page, section: string, text: string): Promise<void> {
  const buttons = await page.$$(`#${section} button`);
  for (const button of buttons) {
    if ((await button.evaluate((it) => it.textContent)) === text) return button.click();
  }
  throw new Error(`no button ${text}`);
}

/** axe-core's rules that something on the page breaks, with the elements. */
async function violations(page: Page): Promise<string[]> {
  // The driver evaluates it: a script element would be refused by the page's policy.
  await page.evaluate(readFileSync(AXE, 'utf8'));
  const found = await page.evaluate('axe.run().then(({ violations }) => violations)');
  return (found as { id: string; nodes: { html: string }[] }[]).flatMap(({ id, nodes }) =>
    nodes.map(({ html }) => `${id}: ${html}`),
  );
}

test('the first view is less than 150 KB, gzipped', () => {
  const assets = Array.from(HTML.matchAll(/(?:src|href)="\.\/(assets\/[^"]+)"/g), ([, file]) =>
    readFileSync(`${DIST}${file}`),
  );
  expect(assets.length).toBeGreaterThanOrEqual(2);
  const bytes = [HTML, ...assets].reduce((sum, text) => sum + gzipSync(text).length, 0);
  expect(bytes).toBeLessThan(150_000);
});

describe('the code on the page', () => {
  const programs = Array.from(HTML.matchAll(/<pre><code>(.*?)<\/code><\/pre>/gs), ([, code]) => code!);

  test.each(programs)('%s', async (code) => {
    const lines = code.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&').split('\n');
    const pairs = await runDocumented({ name: 'page', lines }, library);
    expect(pairs.length).toBeGreaterThan(0);
    for (const { told, got } of pairs) expect(got).toBe(told);
  });
});

describe.each(KINDS)('in $name', (kind) => {
  describe.skipIf(kind.path === undefined)(kind.path ?? 'which is not installed', () => {
    let browser: SiteBrowser;
    beforeAll(async () => {
      browser = await SiteBrowser.start(kind);
    });
    afterAll(async () => {
      await browser?.close();
      expect(browser.complaints).toEqual([]);
    });

    test('the backend is SIMD', async () => {
      const page = await browser.open();
      expect(await page.$eval('#backend', (it) => it.textContent)).toMatch(/^(relaxed-simd|simd128)$/);
      await page.close();
    });

    test.each(['light', 'dark'])('axe-core finds nothing, in %s', async (theme) => {
      const page = await browser.open();
      // Firefox has no such switch in its driver: there both runs are light.
      if (kind.browser === 'chrome') await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: theme }]);
      expect(await violations(page)).toEqual([]);
      await page.close();
    });

    test.each([360, 768, 1440])('%i pixels need no scrolling sideways', async (width) => {
      const page = await browser.open({ width });
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
      await page.close();
    });

    test.skipIf(PICTURE === undefined || kind.browser !== 'chrome')('the picture in the README', async () => {
      const page = await browser.open({ width: 900 });
      const playground = (await page.waitForSelector('#softmax .playground'))!;
      await page.waitForSelector('::-p-text(A is the most probable)');
      await playground.screenshot({ path: PICTURE! as `${string}.png` });
      await page.close();
    });

    test.skipIf(SCREENSHOTS === undefined || kind.browser !== 'chrome')('screenshots', async () => {
      for (const width of [360, 768, 1440]) {
        for (const theme of ['light', 'dark']) {
          const page = await browser.open({ width });
          await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: theme }]);
          for (const section of await page.$$('section')) {
            const id = await section.evaluate((it) => it.id);
            await section.screenshot({ path: `${SCREENSHOTS}/${id}-${width}-${theme}.png` });
          }
          await page.close();
        }
      }
    });

    test('softmax: the numbers are the library’s, by mouse and by keyboard', async () => {
      const page = await browser.open();
      const logits = [2, 1, 0.1, -1];
      expect(await column(page, 'softmax', 'td:nth-child(3)')).toEqual(
        shown(library.softmax(Float64Array.from(logits))),
      );
      expect(await column(page, 'softmax', 'td:nth-child(5)')).toEqual(
        shown(library.sigmoid(Float64Array.from(logits))),
      );

      await page.focus('#softmax [aria-label="Logit of class A"]');
      await page.keyboard.press('End');
      logits[0] = 10;
      expect(await column(page, 'softmax', 'output')).toEqual(['10.0', '1.0', '0.1', '-1.0']);
      expect(await column(page, 'softmax', 'td:nth-child(3)')).toEqual(
        shown(library.softmax(Float64Array.from(logits))),
      );

      await click(page, 'softmax', '1000');
      expect(await column(page, 'softmax', 'td:nth-child(4)')).toEqual(['NaN', 'NaN', 'NaN', 'NaN']);
      expect(await column(page, 'softmax', 'td:nth-child(3)')).toEqual(
        shown(library.softmax(Float64Array.from(logits))),
      );

      await click(page, 'softmax', '0.1');
      await page.waitForFunction(`document.querySelector('#softmax [data-id="temperature-value"]').value === '0.100'`);
      const sharp = library.softmax(Float64Array.from(logits), { temperature: 0.1 });
      expect(await column(page, 'softmax', 'td:nth-child(3)')).toEqual(shown(sharp));
      expect(await page.waitForSelector(`::-p-text(A is the most probable, 1.0000)`)).not.toBeNull();

      await click(page, 'softmax', 'One more');
      expect(await page.$$('#softmax tbody tr')).toHaveLength(5);
      await click(page, 'softmax', 'One less');
      await click(page, 'softmax', 'One less');
      expect(await page.$$('#softmax tbody tr')).toHaveLength(3);
      await page.close();
    });

    test('sampling: what is left and the draws are the library’s', async () => {
      const page = await browser.open();
      const logits = Float64Array.of(3.2, 2.4, 2.1, 1.9, 1.3, 0.8, 0.6, 0.1, -1.2, -2.5);
      await page.focus('#sampling [data-id="topK"]');
      for (let press = 0; press < 4; press++) await page.keyboard.press('ArrowLeft');
      await page.focus('#sampling [data-id="topP"]');
      for (let press = 0; press < 3; press++) await page.keyboard.press('ArrowLeft');
      expect(await column(page, 'sampling', 'td:nth-child(2)')).toEqual(shown(library.softmax(logits)));

      const options = { topK: 6, topP: 0.87, seed: 42 };
      const draws = (step: number) =>
        library.sample(
          Float64Array.from({ length: 10_000 }, (_, i) => logits[i % 10]!),
          { ...options, shape: [1000, 10], step },
        );
      const shares = (drawn: readonly number[]) =>
        shown(Array.from(logits, (_, token) => drawn.filter((it) => it === token).length / drawn.length));
      await click(page, 'sampling', 'Draw 1000');
      const first = await column(page, 'sampling', 'td:nth-child(4)');
      expect(first).toEqual(shares([...draws(0)]));
      await click(page, 'sampling', 'Draw 1000');
      expect(await column(page, 'sampling', 'td:nth-child(4)')).toEqual(shares([...draws(0), ...draws(1)]));
      await click(page, 'sampling', 'Clear');
      await click(page, 'sampling', 'Draw 1000');
      expect(await column(page, 'sampling', 'td:nth-child(4)')).toEqual(first);

      // Each token that is shown as kept is drawn in the end, and no other is.
      const kept = (await column(page, 'sampling', 'td:nth-child(3)')).map((p) => p !== '0.0000');
      const seen = new Set(Array.from({ length: 20 }, (_, step) => [...draws(step)]).flat());
      expect(kept).toEqual(Array.from(logits, (_, token) => seen.has(token)));
      expect(await page.$$('#sampling .left-out')).toHaveLength(10 - seen.size);
      expect(await page.waitForSelector(`::-p-text(${seen.size} of 10 tokens are left; 1000 draws.)`)).not.toBeNull();

      await page.$eval('#sampling [data-id="seed"]', (it) => (it as unknown as { select(): void }).select());
      await page.type('#sampling [data-id="seed"]', '-3');
      expect(
        await page.$eval('#sampling [data-id="draw"]', (it) => (it as unknown as { disabled: boolean }).disabled),
      ).toBe(true);
      await page.close();
    });

    test('calibration: the fit finds the factor', async () => {
      const page = await browser.open();
      const figures = async () =>
        (await column(page, 'calibration', 'td')).map(Number) as [number, number, number, number];
      const [before, unfitted] = await figures();
      expect(before).toBeGreaterThan(0.1);
      expect(unfitted).toBe(before);
      await click(page, 'calibration', 'Fit');
      await page.waitForFunction(`document.querySelector('#calibration [data-id="temperature-value"]').value >= 2.3`);
      // Until the slider has arrived.
      await page.waitForFunction(
        `document.querySelector('#calibration [data-id="summary"]').textContent.includes(' at 2.')`,
      );
      const temperature = Number(
        await page.$eval('#calibration [data-id="temperature-value"]', (it) => it.textContent),
      );
      expect(temperature).toBeGreaterThan(2.3);
      expect(temperature).toBeLessThan(2.7);
      const [, after, nllBefore, nllAfter] = await figures();
      expect(after).toBeLessThan(0.03);
      expect(nllAfter).toBeLessThan(nllBefore);
      expect(
        await page.$eval('#calibration img', (it) => (it as unknown as { naturalWidth: number }).naturalWidth),
      ).toBe(480);

      const { logits, labels } = madeUpExamples();
      const expected = library.calibrationError(
        logits.map((z) => 2.5 * z),
        labels,
        { shape: [4000, 5] },
      );
      expect(before).toBe(Number(expected.ece.toFixed(4)));
      expect(nllBefore).toBe(Number(expected.nll.toFixed(4)));
      const fit = library.fitTemperature(
        logits.map((z) => 2.5 * z),
        labels,
        { shape: [4000, 5] },
      );
      expect(temperature).toBe(Number(fit.temperature.toPrecision(3)));
      await page.close();
    });

    test('losses: probabilities, gradients and losses are the library’s', async () => {
      const page = await browser.open();
      const expectShown = async (logits: Float64Array, target: number, labelSmoothing: number) => {
        const p = library.softmax(logits);
        const { loss, grad } = library.crossEntropyWithGrad(logits, target, { labelSmoothing });
        const twice = library.crossEntropyWithGrad(p, target, { labelSmoothing });
        expect(await column(page, 'losses', 'td:nth-child(3)')).toEqual(shown(p));
        expect(await column(page, 'losses', 'td:nth-child(4)')).toEqual(shown(grad));
        expect(await column(page, 'losses', 'td:nth-child(5)')).toEqual(shown(library.softmaxBackward(p, twice.grad)));
        const text = `The loss is ${loss.toFixed(4)}; with softmax twice ${twice.loss.toFixed(4)}.`;
        expect(await page.waitForSelector(`::-p-text(${text})`)).not.toBeNull();
      };
      await expectShown(Float64Array.of(-2, 4, 1), 0, 0);
      await page.focus('#losses [data-id="smoothing"]');
      await page.keyboard.press('ArrowRight');
      await page.focus('#losses [name="right-class"]');
      await page.keyboard.press('ArrowDown');
      await page.focus('#losses [aria-label="Logit of class C"]');
      await page.keyboard.press('End');
      await expectShown(Float64Array.of(-2, 4, 10), 1, 0.01);

      await page.focus('#losses [data-id="z"]');
      await page.keyboard.press('Home');
      const { loss, grad } = library.bceWithLogitsWithGrad(Float64Array.of(-8), Float64Array.of(1));
      const text = `At z = -8.0 the loss is ${loss.toFixed(4)}, its slope ${grad[0]!.toFixed(4)}.`;
      expect(await page.waitForSelector(`::-p-text(${text})`)).not.toBeNull();
      await page.close();
    });

    test('attention: each row of weights adds up to 1, over what the masks keep', async () => {
      const page = await browser.open();
      const weights = async () => {
        const cells = (await column(page, 'attention', 'td')).map(Number);
        return Array.from({ length: 8 }, (_, query) => cells.slice(8 * query, 8 * query + 8));
      };
      // Eight weights, each rounded to two decimals.
      const expectSums = (rows: readonly number[][]) => {
        for (const row of rows) expect(Math.abs(row.reduce((sum, weight) => sum + weight, 0) - 1)).toBeLessThan(0.045);
      };
      const padded = await weights();
      expectSums(padded);
      for (const row of padded) expect(row[7]).toBe(0);
      // Equal words have the same query, and find each other.
      expect(padded[0]).toEqual(padded[3]);
      expect(padded[0]![0]).toBe(padded[0]![3]);

      await page.focus('#attention [data-id="causal"]');
      await page.keyboard.press(' ');
      const causal = await weights();
      expectSums(causal);
      causal.forEach((row, query) => {
        for (const weight of row.slice(query + 1)) expect(weight).toBe(0);
      });
      expect(causal[0]![0]).toBe(1);

      await page.click('#attention [data-id="causal"]');
      await page.click('#attention [data-id="padding"]');
      await page.focus('#attention [data-id="temperature"]');
      await page.keyboard.press('End');
      const level = await weights();
      expectSums(level);
      for (const row of level) expect(Math.min(...row)).toBeGreaterThan(0);
      await page.close();
    });

    test('training: learns in a worker, pauses, goes on, starts anew', async () => {
      const page = await browser.open();
      const figure = (id: string) => page.$eval(`#training [data-id="${id}"]`, (it) => it.textContent ?? '');
      // Read from a copy: reading a canvas makes Chromium complain.
      const alpha = () =>
        page.evaluate(`(() => {
          const copy = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
          copy.drawImage(document.querySelector('#training canvas'), 0, 0);
          return copy.getImageData(0, 0, 1, 1).data[3];
        })()`);
      expect(await alpha()).toBe(0);

      await click(page, 'training', 'Start');
      await page.waitForFunction(`document.querySelector('#training [data-id="epoch"]').textContent !== '0'`);
      await click(page, 'training', 'Pause');
      await rest();
      const epoch = Number(await figure('epoch'));
      expect(epoch).toBeLessThan(EPOCHS);
      const trainer = new Trainer();
      let progress = trainer.trainEpoch();
      while (progress.epoch < epoch) progress = trainer.trainEpoch();
      // Engines' sines and cosines differ in their last digits.
      expect(Math.abs(Number(await figure('loss')) - progress.loss)).toBeLessThan(0.02);
      expect(await alpha()).toBe(255);
      await rest();
      expect(Number(await figure('epoch'))).toBe(epoch);

      await page.focus('#training [data-id="start"]');
      await page.keyboard.press('Enter');
      await page.waitForFunction(`document.querySelector('#training [data-id="epoch"]').textContent === '${EPOCHS}'`, {
        timeout: 90_000,
      });
      expect(Number.parseFloat(await figure('accuracy'))).toBeGreaterThan(90);
      expect(Number(await figure('loss'))).toBeLessThan(0.3);

      await click(page, 'training', 'Reset');
      expect([await figure('epoch'), await figure('loss'), await alpha()]).toEqual(['0', '–', 0]);
      await page.close();
    });

    test('logits of your own: pasted, chosen and dropped', async () => {
      const page = await browser.open();
      const summary = () => page.$eval('#own [data-id="summary"]', (it) => it.textContent ?? '');
      const untilSummary = (text: string) =>
        page.waitForFunction(`document.querySelector('#own [data-id="summary"]').textContent.includes('${text}')`);
      const expectTable = async (logits: Float64Array, shape: readonly [number, number]) => {
        const { values, indices } = library.topK(library.softmax(logits, { shape }), shape[1], { shape });
        const nats = library.entropy(logits, { shape });
        const cells = Array.from(nats, (value, row) => {
          const ranks = Array.from({ length: shape[1] }, (_, rank) => row * shape[1] + rank);
          return [ranks.map((at) => `${indices[at]}: ${values[at]!.toFixed(4)}`).join('; '), value.toFixed(4)];
        });
        expect(await column(page, 'own', 'td')).toEqual(cells.flat());
      };
      const paste = (text: string) =>
        page.evaluate(
          `(() => { const area = document.querySelector('#own textarea'); area.value = ${JSON.stringify(text)};` +
            ` area.dispatchEvent(new Event('input')); })()`,
        );

      await paste('[[0.7, 0.2, 0.1], [0.3, 0.3, 0.4]]');
      expect(await summary()).toBe('Shape [2, 3], 2 rows of 3 classes, values from 0.1 to 0.7.');
      const { warnings } = library.inspectLogits([0.7, 0.2, 0.1, 0.3, 0.3, 0.4], { shape: [2, 3] });
      expect(await page.$$eval('#own li', (items) => items.map(({ textContent }) => textContent))).toEqual(warnings);
      await paste('1, 2, x');
      expect(await summary()).toBe("Line 1 has 'x', expected a number.");
      expect(await page.$$('#own tbody tr')).toHaveLength(0);

      await page.focus('#own textarea');
      await paste('');
      await page.keyboard.type('3, 1, 2');
      await expectTable(Float64Array.of(3, 1, 2), [1, 3]);

      const folder = mkdtempSync(join(tmpdir(), 'softmax-wasm-'));
      const file = join(folder, 'logits.npy');
      writeFileSync(file, npy('<f8', '(2, 2)', Float64Array.of(1, 2, 4, 3)));
      const input = (await page.$('#own input[type="file"]')) as ElementHandle<HTMLInputElement>;
      await input.uploadFile(file);
      await untilSummary('Shape [2, 2]');
      await expectTable(Float64Array.of(1, 2, 4, 3), [2, 2]);
      rmSync(folder, { recursive: true });

      await page.evaluate(`(() => {
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File(['5 6 9\\n7 8 1'], 'logits.txt'));
        const drop = new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true });
        document.querySelector('#own').dispatchEvent(drop);
      })()`);
      await untilSummary('values from 1 to 9');
      await expectTable(Float64Array.of(5, 6, 9, 7, 8, 1), [2, 3]);
      await page.close();
    });

    test.each([
      ['a plain server', false],
      ['a server that isolates it from other origins', true],
    ])('benchmark: the quick run finishes on %s, and a run can be stopped', async (_, isIsolated) => {
      const page = await browser.open({ isIsolated });
      expect(await page.evaluate('crossOriginIsolated')).toBe(isIsolated);
      expect(await page.$eval('#benchmark [data-id="threads"]', (it) => it.textContent)).toMatch(
        isIsolated ? /^Threads are workers/ : /^There is no column for threads: this page is not isolated/,
      );
      const summary = () => page.$eval('#benchmark [data-id="summary"]', (it) => it.textContent ?? '');
      const untilSummary = (text: string) =>
        page.waitForFunction(
          `/^(${text}|Ended)/.test(document.querySelector('#benchmark [data-id="summary"]').textContent)`,
          { timeout: 100_000 },
        );
      const asked = () => browser.requests.filter((file) => /tfjs/.test(file)).length;

      const before = asked();
      await page.focus('#benchmark [data-id="quick"]');
      await page.keyboard.press('Enter');
      await untilSummary('Done');
      expect(asked()).toBe(before);
      await page.focus('#benchmark [data-id="tfjs"]');
      await page.keyboard.press(' ');
      await page.focus('#benchmark [data-id="quick"]');
      await page.keyboard.press('Enter');
      await untilSummary('Running');
      await untilSummary('Done');
      expect(await summary()).toMatch(/^Done, on (Chrome|Firefox) \d+, \d+ cores: every result was right\.$/);
      expect(asked()).toBeGreaterThan(before);

      const cores = Number(await page.evaluate('navigator.hardwareConcurrency'));
      const threads = isIsolated ? [`${cores} threads`] : [];
      const contenders = ['plain JavaScript', 'simd128', 'relaxed-simd', ...threads, 'tfjs-wasm'];
      const head = await page.$$eval('#benchmark thead th', (cells) => cells.map(({ textContent }) => textContent));
      expect(head).toEqual(['Operation', ...contenders]);
      const names = await column(page, 'benchmark', 'th');
      expect(names.map((name) => name.split(' ')[0])).toEqual(['softmax', 'logSoftmax', 'crossEntropy', 'sample']);
      for (const [place, name] of contenders.entries()) {
        const times = await column(page, 'benchmark', `td:nth-child(${place + 2})`);
        const time = name === 'plain JavaScript' ? /^[\d.]+ (µs|ms)$/ : /^[\d.]+ (µs|ms), [\d.]+ ×$/;
        // One row is nothing to share, and the draws of TensorFlow.js are its own.
        const isWithoutSample = name.endsWith('threads') || name === 'tfjs-wasm';
        for (const [row, text] of times.entries()) expect(text).toMatch(row === 3 && isWithoutSample ? /^–$/ : time);
      }
      const markdown = await page.$eval('#benchmark textarea', (it) => (it as HTMLTextAreaElement).value);
      expect(markdown).toContain(
        `| operation | ${contenders.join(' | ')} |\n| --- |${' ---: |'.repeat(contenders.length)}\n`,
      );
      expect(markdown.match(/^\| (softmax|logSoftmax|crossEntropy|sample) /gm)).toHaveLength(4);
      // For those who read the log.
      console.log(markdown);

      await click(page, 'benchmark', 'Full run');
      await untilSummary('Running');
      await click(page, 'benchmark', 'Stop');
      await untilSummary('Ended');
      expect(await summary()).toBe('Ended: stopped.');
      await page.close();
    });

    test('softmax: the mouse moves a logit', async () => {
      const page = await browser.open();
      const slider = (await page.$('#softmax [aria-label="Logit of class B"]'))!;
      await slider.scrollIntoView();
      const { x, y, width, height } = (await slider.boundingBox())!;
      await page.mouse.click(x + 0.9 * width, y + height / 2);
      const logits = (await column(page, 'softmax', 'output')).map(Number);
      expect(logits[1]).toBeGreaterThan(5);
      expect(await column(page, 'softmax', 'td:nth-child(3)')).toEqual(
        shown(library.softmax(Float64Array.from(logits))),
      );
      await page.close();
    });
  });
});

describe.skipIf(CHROMIUM_WITHOUT_SIMD.path === undefined)('in Chromium without SIMD', () => {
  test('the reference backend shows the same', async () => {
    const browser = await SiteBrowser.start(CHROMIUM_WITHOUT_SIMD);
    try {
      const page = await browser.open();
      expect(await page.$eval('#backend', (it) => it.textContent)).toBe('reference');
      expect(browser.complaints).toHaveLength(1);
      expect(browser.complaints[0]).toMatch(/^console: softmax-wasm: running in plain TypeScript/);
      const expected = shown(library.softmax(Float64Array.of(2, 1, 0.1, -1)));
      expect(await column(page, 'softmax', 'td:nth-child(3)')).toEqual(expected);
      await click(page, 'sampling', 'Draw 1000');
      await click(page, 'calibration', 'Fit');
      for (const section of ['softmax', 'sampling', 'calibration', 'losses', 'attention', 'own']) {
        const cells = await column(page, section, 'td');
        expect(cells.length).toBeGreaterThan(3);
        for (const cell of cells) expect(cell).toMatch(/^[-\d]/);
      }
      await click(page, 'training', 'Start');
      await page.waitForFunction(`document.querySelector('#training [data-id="epoch"]').textContent !== '0'`);
    } finally {
      await browser.close();
    }
  });
});
