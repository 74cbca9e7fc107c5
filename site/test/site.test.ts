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
import { CHROMIUM_WITHOUT_SIMD, darkAndStill, KINDS, SiteBrowser } from './browser.js';
import { CONTROLS, goTo, type Hand, pressButton, pressOn, tabTo } from './drive.js';
import { npy } from './npy.js';

const AXE = fileURLToPath(new URL('../node_modules/axe-core/axe.min.js', import.meta.url));
const DIST = fileURLToPath(new URL('../dist/', import.meta.url));
const HTML = readFileSync(`${DIST}index.html`, 'utf8');

/** A folder for pictures of the sections, and a file for the picture in the README. */
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

/** The rules of axe-core that the page breaks, with the elements. */
async function violations(page: Page): Promise<string[]> {
  // The driver evaluates it: a script element would be refused by the page's policy.
  await page.evaluate(readFileSync(AXE, 'utf8'));
  const found = await page.evaluate('axe.run().then(({ violations }) => violations)');
  return (found as { id: string; nodes: { html: string }[] }[]).flatMap(({ id, nodes }) =>
    nodes.map(({ html }) => `${id}: ${html}`),
  );
}

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

    test.each([360, 1024])('axe-core finds nothing, %i pixels wide', async (width) => {
      const page = await browser.open({ width });
      expect(await violations(page)).toEqual([]);
      await page.close();
    });

    test('dark and still, as the visitor prefers it: axe-core finds nothing, temperatures are reached at once', async () => {
      // The values shown immediately after the button was pressed.
      const afterPress = `(() => {
        document.querySelector('#softmax [data-temperature="10"]').click();
        return document.querySelector('#softmax [data-id="temperature-value"]').value;
      })()`;
      const page = await browser.open();
      expect(await page.evaluate(afterPress)).not.toBe('10.0');
      await page.waitForFunction(`document.querySelector('#softmax [data-id="temperature-value"]').value === '10.0'`);
      await page.close();

      const other = await SiteBrowser.start(darkAndStill(kind));
      try {
        const calm = await other.open();
        for (const media of ['prefers-color-scheme: dark', 'prefers-reduced-motion: reduce']) {
          expect(await calm.evaluate(`matchMedia('(${media})').matches`)).toBe(true);
        }
        expect(await violations(calm)).toEqual([]);
        expect(await calm.evaluate(afterPress)).toBe('10.0');
      } finally {
        await other.close();
      }
      expect(other.complaints).toEqual([]);
    });

    test('the first view is less than 150 KB, gzipped', async () => {
      const before = browser.requests.length;
      const page = await browser.open();
      await page.waitForNetworkIdle();
      const files = browser.requests.slice(before);
      expect(files).toContain('index.html');
      expect(files.length).toBeGreaterThanOrEqual(3);
      const bytes = files.reduce((sum, file) => sum + gzipSync(readFileSync(`${DIST}${file}`)).length, 0);
      console.log(`${files.length} files, ${bytes} bytes gzipped`);
      expect(bytes).toBeLessThan(150_000);
      await page.close();
    });

    test('Tab stops at every control, in the order of the page, and one sees where', async () => {
      const page = await browser.open();
      const name = `(it) => [it.closest('section')?.id ?? 'page', it.tagName,
        it.dataset.id ?? it.getAttribute('aria-label') ?? it.textContent.trim()].join(' ')`;
      const controls = (await page.evaluate(
        `Array.from(document.querySelectorAll('${CONTROLS}'), ${name})`,
      )) as string[];
      expect(controls.length).toBeGreaterThan(50);
      const stops: string[] = [];
      while (stops.length < controls.length) {
        await page.keyboard.press('Tab');
        const [stop, isControl, outline] = (await page.evaluate(`(() => {
          const it = document.activeElement;
          const { outlineStyle, outlineWidth } = getComputedStyle(it);
          return [(${name})(it), it.matches('${CONTROLS}'), outlineStyle + ' ' + outlineWidth];
        })()`)) as [string, boolean, string];
        expect(stop).not.toMatch(/ BODY /);
        expect(outline).toBe('solid 3px');
        // An element that scrolls may be a stop of its own.
        if (isControl) stops.push(stop);
      }
      expect(stops).toEqual(controls);
      await page.close();
    });

    test('arrows move every slider, and the digits beside it', async () => {
      const page = await browser.open();
      const count = (await page.$$('input[type="range"]')).length;
      expect(count).toBeGreaterThan(15);
      const state = (i: number) =>
        page.evaluate(`(() => {
          const input = document.querySelectorAll('input[type="range"]')[${i}];
          const results = Array.from(input.closest('.playground').querySelectorAll('td, output, [role="status"]'));
          return [input.value, results.map(({ textContent }) => textContent).join(' ')];
        })()`) as Promise<[string, string]>;
      for (let i = 0; i < count; i++) {
        await page.evaluate(`document.querySelectorAll('input[type="range"]')[${i}].dataset.wanted = ''`);
        for (const key of ['Home', 'End', 'ArrowLeft', 'ArrowRight'] as const) {
          const [value, results] = await state(i);
          const end = key === 'Home' ? 'min' : 'max';
          const isAtEnd = await page.evaluate(
            `(({ value, ${end}: end }) => value === end)(document.querySelector('[data-wanted]'))`,
          );
          await pressOn(page, '[data-wanted]', key);
          const [moved, then] = await state(i);
          if (!isAtEnd) {
            expect(moved).not.toBe(value);
            expect(then).not.toBe(results);
          }
        }
        await page.evaluate(`delete document.querySelectorAll('input[type="range"]')[${i}].dataset.wanted`);
      }
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
      const page = await browser.open({ isIsolated: true });
      await pressButton(page, 'mouse', 'sampling', 'Draw 1000');
      await pressButton(page, 'mouse', 'calibration', 'Fit');
      await pressButton(page, 'mouse', 'training', 'Start');
      await page.click('#benchmark [data-id="tfjs"]');
      await page.waitForFunction(`document.querySelector('#training [data-id="epoch"]').textContent === '${EPOCHS}'`);
      await pressButton(page, 'mouse', 'benchmark', 'Quick run');
      await page.waitForFunction(
        `/^(Done|Ended)/.test(document.querySelector('#benchmark [data-id="summary"]').textContent)`,
        { timeout: 100_000 },
      );
      for (const width of [360, 768, 1440]) {
        await page.setViewport({ width, height: 800 });
        for (const theme of ['light', 'dark']) {
          await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: theme }]);
          await rest();
          for (const part of await page.$$('header, section, footer')) {
            const name = await part.evaluate((it) => it.id || it.tagName.toLowerCase());
            await part.screenshot({ path: `${SCREENSHOTS}/${name}-${width}-${theme}.png` });
          }
        }
      }
      await page.close();
    });

    test.each<Hand>(['mouse', 'keyboard'])('softmax: the numbers are the library’s, by %s', async (hand) => {
      const page = await browser.open();
      await goTo(page, 'softmax');
      const logits = [2, 1, 0.1, -1];
      expect(await column(page, 'softmax', 'td:nth-child(3)')).toEqual(
        shown(library.softmax(Float64Array.from(logits))),
      );
      expect(await column(page, 'softmax', 'td:nth-child(5)')).toEqual(
        shown(library.sigmoid(Float64Array.from(logits))),
      );

      await pressOn(page, '#softmax [aria-label="Logit of class A"]', 'End');
      logits[0] = 10;
      expect(await column(page, 'softmax', 'output')).toEqual(['10.0', '1.0', '0.1', '-1.0']);
      expect(await column(page, 'softmax', 'td:nth-child(3)')).toEqual(
        shown(library.softmax(Float64Array.from(logits))),
      );

      await pressButton(page, hand, 'softmax', '1000');
      expect(await column(page, 'softmax', 'td:nth-child(4)')).toEqual(['NaN', 'NaN', 'NaN', 'NaN']);
      expect(await column(page, 'softmax', 'td:nth-child(3)')).toEqual(
        shown(library.softmax(Float64Array.from(logits))),
      );

      await pressButton(page, hand, 'softmax', '0.1');
      await page.waitForFunction(`document.querySelector('#softmax [data-id="temperature-value"]').value === '0.100'`);
      const sharp = library.softmax(Float64Array.from(logits), { temperature: 0.1 });
      expect(await column(page, 'softmax', 'td:nth-child(3)')).toEqual(shown(sharp));
      expect(await page.waitForSelector(`::-p-text(A is the most probable, 1.0000)`)).not.toBeNull();

      await pressOn(page, '#softmax [data-id="temperature"]', 'End');
      const level = library.softmax(Float64Array.from(logits), { temperature: 10 ** 1.301 });
      expect(await column(page, 'softmax', 'td:nth-child(3)')).toEqual(shown(level));

      await pressButton(page, hand, 'softmax', 'One more');
      expect(await page.$$('#softmax tbody tr')).toHaveLength(5);
      await pressButton(page, hand, 'softmax', 'One less');
      await pressButton(page, hand, 'softmax', 'One less');
      expect(await page.$$('#softmax tbody tr')).toHaveLength(3);
      await pressButton(page, hand, 'softmax', 'Reset');
      expect(await column(page, 'softmax', 'output')).toEqual(['2.0', '1.0', '0.1', '-1.0']);
      await page.close();
    });

    test.each<Hand>(['mouse', 'keyboard'])(
      'sampling: what is left and the draws are the library’s, by %s',
      async (hand) => {
        const page = await browser.open();
        await goTo(page, 'sampling');
        const logits = Float64Array.of(3.2, 2.4, 2.1, 1.9, 1.3, 0.8, 0.6, 0.1, -1.2, -2.5);
        expect(await column(page, 'sampling', 'td:nth-child(2)')).toEqual(shown(library.softmax(logits)));
        await pressOn(page, '#sampling [data-id="temperature"]', 'End');
        const temperature = 10 ** 1.301;
        expect(await column(page, 'sampling', 'td:nth-child(2)')).toEqual(
          shown(library.softmax(logits, { temperature })),
        );
        await pressOn(page, '#sampling [data-id="topK"]', 'ArrowLeft', 2);
        await pressOn(page, '#sampling [data-id="topP"]', 'ArrowLeft', 3);
        await pressOn(page, '#sampling [data-id="minP"]', 'End');
        expect(await page.$$('#sampling .left-out')).toHaveLength(9);
        await pressOn(page, '#sampling [data-id="minP"]', 'ArrowLeft', 10);

        const options = { temperature, topK: 8, topP: 0.87, minP: 0.9, seed: 42 };
        const draws = (step: number) =>
          library.sample(
            Float64Array.from({ length: 10_000 }, (_, i) => logits[i % 10]!),
            { ...options, shape: [1000, 10], step },
          );
        const shares = (drawn: readonly number[]) =>
          shown(Array.from(logits, (_, token) => drawn.filter((it) => it === token).length / drawn.length));
        await pressButton(page, hand, 'sampling', 'Draw 1000');
        const first = await column(page, 'sampling', 'td:nth-child(4)');
        expect(first).toEqual(shares([...draws(0)]));
        await pressButton(page, hand, 'sampling', 'Draw 1000');
        expect(await column(page, 'sampling', 'td:nth-child(4)')).toEqual(shares([...draws(0), ...draws(1)]));
        await pressButton(page, hand, 'sampling', 'Clear');
        await pressButton(page, hand, 'sampling', 'Draw 1000');
        expect(await column(page, 'sampling', 'td:nth-child(4)')).toEqual(first);

        // Every token that is shown as kept is drawn at some time, and no other is.
        const kept = (await column(page, 'sampling', 'td:nth-child(3)')).map((p) => p !== '0.0000');
        const seen = new Set(Array.from({ length: 20 }, (_, step) => [...draws(step)]).flat());
        expect(kept).toEqual(Array.from(logits, (_, token) => seen.has(token)));
        expect(await page.$$('#sampling .left-out')).toHaveLength(10 - seen.size);
        expect(await page.waitForSelector(`::-p-text(${seen.size} of 10 tokens are left; 1000 draws.)`)).not.toBeNull();

        // Tab selects the content of a field.
        await tabTo(page, '#sampling [data-id="minP"]');
        await tabTo(page, '#sampling [data-id="seed"]');
        await page.keyboard.type('7');
        options.seed = 7;
        await pressButton(page, hand, 'sampling', 'Draw 1000');
        expect(await column(page, 'sampling', 'td:nth-child(4)')).toEqual(shares([...draws(0)]));
        await tabTo(page, '#sampling [data-id="minP"]');
        await tabTo(page, '#sampling [data-id="seed"]');
        await page.keyboard.type('-3');
        expect(
          await page.$eval('#sampling [data-id="draw"]', (it) => (it as unknown as { disabled: boolean }).disabled),
        ).toBe(true);
        await page.close();
      },
    );

    test.each<Hand>(['mouse', 'keyboard'])('calibration: the fit finds the factor, by %s', async (hand) => {
      const page = await browser.open();
      await goTo(page, 'calibration');
      const figures = async () =>
        (await column(page, 'calibration', 'td')).map(Number) as [number, number, number, number];
      const [before, unfitted] = await figures();
      expect(before).toBeGreaterThan(0.1);
      expect(unfitted).toBe(before);
      await pressButton(page, hand, 'calibration', 'Fit');
      await page.waitForFunction(`document.querySelector('#calibration [data-id="temperature-value"]').value >= 2.3`);
      // Wait until the slider has stopped.
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
      expect(await page.$$eval('#calibration img', (images) => images.map(({ naturalWidth }) => naturalWidth))).toEqual(
        [480, 480],
      );

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

      await pressButton(page, hand, 'calibration', 'Back to 1');
      await page.waitForFunction(
        `document.querySelector('#calibration [data-id="temperature-value"]').value === '1.00'`,
      );
      await pressOn(page, '#calibration [data-id="factor"]', 'End');
      const surer = library.calibrationError(
        logits.map((z) => 5 * z),
        labels,
        { shape: [4000, 5] },
      );
      expect(await figures()).toEqual(
        [surer.ece, surer.ece, surer.nll, surer.nll].map((figure) => Number(figure.toFixed(4))),
      );
      await page.close();
    });

    test('losses: probabilities, gradients and losses are the library’s', async () => {
      const page = await browser.open();
      await goTo(page, 'losses');
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
      await tabTo(page, '#losses [data-id="smoothing"]');
      await page.keyboard.press('ArrowRight');
      await tabTo(page, '#losses [name="right-class"]:checked');
      await page.keyboard.press('ArrowDown');
      await tabTo(page, '#losses [aria-label="Logit of class C"]');
      await page.keyboard.press('End');
      await expectShown(Float64Array.of(-2, 4, 10), 1, 0.01);

      await pressOn(page, '#losses [data-id="z"]', 'Home');
      await pressOn(page, '#losses [data-id="y"]', 'ArrowLeft', 25);
      const { loss, grad } = library.bceWithLogitsWithGrad(Float64Array.of(-8), Float64Array.of(0.75));
      const text = `At z = -8.0 the loss is ${loss.toFixed(4)}, its slope ${grad[0]!.toFixed(4)}.`;
      expect(await page.waitForSelector(`::-p-text(${text})`)).not.toBeNull();
      await page.close();
    });

    test('attention: each row of weights adds up to 1, over what the masks keep', async () => {
      const page = await browser.open();
      await goTo(page, 'attention');
      const weights = async () => {
        const cells = (await column(page, 'attention', 'td')).map(Number);
        return Array.from({ length: 8 }, (_, query) => cells.slice(8 * query, 8 * query + 8));
      };
      // The eight weights are each rounded to two decimals.
      const expectSums = (rows: readonly number[][]) => {
        for (const row of rows) expect(Math.abs(row.reduce((sum, weight) => sum + weight, 0) - 1)).toBeLessThan(0.045);
      };
      const padded = await weights();
      expectSums(padded);
      for (const row of padded) expect(row[7]).toBe(0);
      // Equal words have the same query, and attend to each other.
      expect(padded[0]).toEqual(padded[3]);
      expect(padded[0]![0]).toBe(padded[0]![3]);

      await tabTo(page, '#attention [data-id="causal"]');
      await page.keyboard.press(' ');
      const causal = await weights();
      expectSums(causal);
      causal.forEach((row, query) => {
        for (const weight of row.slice(query + 1)) expect(weight).toBe(0);
      });
      expect(causal[0]![0]).toBe(1);

      await page.click('#attention [data-id="causal"]');
      await tabTo(page, '#attention [data-id="padding"]');
      await page.keyboard.press(' ');
      await tabTo(page, '#attention [data-id="temperature"]');
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

      await pressButton(page, 'mouse', 'training', 'Start');
      await page.waitForFunction(`document.querySelector('#training [data-id="epoch"]').textContent !== '0'`);
      await goTo(page, 'training');
      await pressButton(page, 'keyboard', 'training', 'Pause');
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

      await tabTo(page, '#training [data-id="start"]');
      await page.keyboard.press('Enter');
      await page.waitForFunction(`document.querySelector('#training [data-id="epoch"]').textContent === '${EPOCHS}'`, {
        timeout: 90_000,
      });
      expect(Number.parseFloat(await figure('accuracy'))).toBeGreaterThan(90);
      expect(Number(await figure('loss'))).toBeLessThan(0.3);

      await pressButton(page, 'keyboard', 'training', 'Reset');
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

      await goTo(page, 'own');
      await tabTo(page, '#own textarea');
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
      await goTo(page, 'benchmark');
      await tabTo(page, '#benchmark [data-id="quick"]');
      await page.keyboard.press('Enter');
      await untilSummary('Done');
      expect(asked()).toBe(before);
      await tabTo(page, '#benchmark [data-id="tfjs"]');
      await page.keyboard.press(' ');
      await tabTo(page, '#benchmark [data-id="quick"]');
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
        // A single row cannot be split, and TensorFlow.js draws its own random numbers.
        const isWithoutSample = name.endsWith('threads') || name === 'tfjs-wasm';
        for (const [row, text] of times.entries()) expect(text).toMatch(row === 3 && isWithoutSample ? /^–$/ : time);
      }
      const markdown = await page.$eval('#benchmark textarea', (it) => (it as HTMLTextAreaElement).value);
      expect(markdown).toContain(
        `| operation | ${contenders.join(' | ')} |\n| --- |${' ---: |'.repeat(contenders.length)}\n`,
      );
      expect(markdown.match(/^\| (softmax|logSoftmax|crossEntropy|sample) /gm)).toHaveLength(4);
      // The log of the test shows the table.
      console.log(markdown);
      await pressButton(page, 'keyboard', 'benchmark', 'Copy');
      const selected = await page.$eval('#benchmark textarea', (it) => {
        const { value, selectionStart, selectionEnd } = it as HTMLTextAreaElement;
        return value.slice(selectionStart, selectionEnd);
      });
      expect(selected).toBe(markdown);

      await pressButton(page, 'mouse', 'benchmark', 'Full run');
      await untilSummary('Running');
      await pressButton(page, 'keyboard', 'benchmark', 'Stop');
      await untilSummary('Ended');
      expect(await summary()).toBe('Ended: stopped.');
      await page.close();
    });

    // Firefox does not report layout shifts.
    test.skipIf(kind.browser !== 'chrome').each([360, 1024])(
      'nothing moves by itself, and axe-core finds nothing then, %i pixels wide',
      async (width) => {
        const page = await browser.open({ width });
        await page.evaluate(`(() => {
        globalThis.shifts = [];
        new PerformanceObserver((list) => shifts.push(...list.getEntries().map(({ value, sources }) =>
          ({ value, moved: sources.map(({ node }) => node?.outerHTML?.slice(0, 80)) }))))
          .observe({ type: 'layout-shift', buffered: true });
      })()`);
        for (const [section, texts] of Object.entries({
          softmax: ['10', '1000', '0.1', 'Reset'],
          sampling: ['Draw 1000', 'Clear'],
          calibration: ['Fit', 'Back to 1'],
          losses: [],
          attention: [],
          training: ['Start', 'Pause', 'Reset'],
          own: [],
          benchmark: ['Quick run'],
        })) {
          await goTo(page, section);
          for (const slider of await page.$$(`#${section} input[type="range"]`)) {
            await slider.focus();
            for (const key of ['End', 'Home'] as const) await page.keyboard.press(key);
          }
          for (const text of texts) {
            await pressButton(page, 'keyboard', section, text);
            // Wait until animations have ended and delayed announcements have been made.
            await new Promise((resolve) => setTimeout(resolve, 1300));
          }
        }
        await page.waitForFunction(
          `/^(Done|Ended)/.test(document.querySelector('#benchmark [data-id="summary"]').textContent)`,
          { timeout: 100_000 },
        );
        const shifts = (await page.evaluate('shifts')) as { value: number; moved: string[] }[];
        // Even those right after a key: a fill that grows is some millionths.
        const sum = shifts.reduce((total, { value }) => total + value, 0);
        console.log(`layout shifts: ${sum}`);
        expect(sum, JSON.stringify(shifts)).toBeLessThan(0.001);
        expect(await violations(page)).toEqual([]);
        await page.close();
      },
    );

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
      await pressButton(page, 'mouse', 'sampling', 'Draw 1000');
      await pressButton(page, 'mouse', 'calibration', 'Fit');
      for (const section of ['softmax', 'sampling', 'calibration', 'losses', 'attention', 'own']) {
        const cells = await column(page, section, 'td');
        expect(cells.length).toBeGreaterThan(3);
        for (const cell of cells) expect(cell).toMatch(/^[-\d]/);
      }
      await pressButton(page, 'mouse', 'training', 'Start');
      await page.waitForFunction(`document.querySelector('#training [data-id="epoch"]').textContent !== '0'`);
      await page.click('#benchmark [data-id="tfjs"]');
      await pressButton(page, 'mouse', 'benchmark', 'Quick run');
      await page.waitForFunction(
        `/^(Done|Ended)/.test(document.querySelector('#benchmark [data-id="summary"]').textContent)`,
        { timeout: 100_000 },
      );
      const lines = await page.$eval('#benchmark textarea', (it) => (it as HTMLTextAreaElement).value);
      expect(lines.match(/^\| softmax .* ms \| – \| – \| .*$/gm)).toHaveLength(1);
    } finally {
      await browser.close();
    }
  });
});
