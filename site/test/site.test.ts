import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { Page } from 'puppeteer-core';
import * as library from 'softmax-wasm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runDocumented } from '../../test/support/documentation.js';
import { CHROMIUM_WITHOUT_SIMD, KINDS, SiteBrowser } from './browser.js';

const AXE = fileURLToPath(new URL('../node_modules/axe-core/axe.min.js', import.meta.url));
const DIST = fileURLToPath(new URL('../dist/', import.meta.url));
const HTML = readFileSync(`${DIST}index.html`, 'utf8');

/** A folder to write pictures of the site to, for a look at them. */
const { SCREENSHOTS } = process.env;

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
      const page = await browser.open(width);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
      await page.close();
    });

    test.skipIf(SCREENSHOTS === undefined || kind.browser !== 'chrome')('screenshots', async () => {
      for (const width of [360, 768, 1440]) {
        for (const theme of ['light', 'dark']) {
          const page = await browser.open(width);
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
      const expected = shown(library.softmax(Float64Array.of(2, 1, 0.1, -1)));
      expect(await column(page, 'softmax', 'td:nth-child(3)')).toEqual(expected);
    } finally {
      await browser.close();
    }
  });
});
