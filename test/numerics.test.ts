import { expect, test } from 'vitest';
import { numericsPage } from './support/page.js';

test('docs/numerics.md says what the tests hold results to', async () => {
  await expect(numericsPage()).toMatchFileSnapshot('../docs/numerics.md');
});
