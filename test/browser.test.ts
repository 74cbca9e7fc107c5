import { describe, expect, test } from 'vitest';
import { chromium, withPage } from './support/browser.js';

/** A page without a bundler: it loads dist/, and an import map gives the address of the only dependency. */
const PAGE = `<!doctype html>
<title>softmax-wasm</title>
<script type="importmap">
  { "imports": {
    "softmax-wasm": "/dist/index.js",
    "@assemblyscript/loader": "/node_modules/@assemblyscript/loader/index.js"
  } }
</script>
<p id="row"></p>
<p id="batch"></p>
<p id="backend"></p>
<script type="module">
  import { backendInfo, softmax } from 'softmax-wasm';
  const show = (id, text) => { document.getElementById(id).textContent = text; };
  show('row', Array.from(softmax([2, 1, 0.1]), (p) => p.toFixed(3)).join(' '));
  const batch = softmax(new Float64Array([1, 2, 3, 4]), { shape: [2, 2], axis: 0 });
  show('batch', Array.from(batch, (p) => p.toFixed(6)).join(' '));
  show('backend', backendInfo().name);
</script>`;

const title =
  chromium === undefined ? 'skipped, there is no Chromium: set CHROMIUM to its path' : 'in headless Chromium';

describe.skipIf(chromium === undefined)(title, () => {
  test('a page imports the package and shows the right numbers', async () => {
    const shown = await withPage(PAGE, async (page) => {
      await page.waitForFunction("document.getElementById('backend').textContent !== ''", { timeout: 30_000 });
      return page.$$eval('p', (paragraphs) => paragraphs.map(({ textContent }) => textContent));
    });
    expect(shown.slice(0, 2)).toEqual(['0.659 0.242 0.099', '0.119203 0.119203 0.880797 0.880797']);
    expect(shown[2]).toMatch(/^(relaxed-simd|simd128)$/);
  }, 60_000);
});
