import { expect, test } from 'vitest';
import { runExample } from './support/examples.js';
import { readText } from './support/platform.js';

/** Text without line breaks and quotation marks of Markdown. */
const unwrapped = (text: string) => text.replaceAll(/\n>? ?/g, ' ');

test('docs/common-mistakes.md shows what its example computes', async () => {
  const page = await readText('docs/common-mistakes.md');
  const printed = (await runExample('common-mistakes.mjs')).trim().split('\n\n');
  const last = printed.indexOf('What inspectLogits says');
  const tables = printed.slice(0, last).filter((_, i) => i % 2 === 1);
  const shown = [...page.matchAll(/```text\n([\s\S]*?)\n```/g)].map(([, text]) => text);
  const titles = [...page.matchAll(/^## (.*)$/gm)].map(([, title]) => title);

  // The last section is about types, which nothing is computed for.
  const computed = titles.slice(0, titles.indexOf('Options in a variable, and map'));
  expect(computed).toEqual([...printed.slice(0, last).filter((_, i) => i % 2 === 0), printed[last]]);
  expect(shown).toEqual(tables);
  for (const saying of printed.slice(last + 1)) expect(unwrapped(page)).toContain(saying);
});
