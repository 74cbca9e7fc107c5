import { preview } from 'vite';
import { expect, test } from 'vitest';

test('npm run site serves the site isolated from other origins', async () => {
  const configFile = new URL('../vite.config.mjs', import.meta.url).pathname;
  const server = await preview({ configFile, preview: { port: 0 }, logLevel: 'silent' });
  try {
    const { headers } = await fetch(server.resolvedUrls!.local[0]!);
    expect(headers.get('cross-origin-opener-policy')).toBe('same-origin');
    expect(headers.get('cross-origin-embedder-policy')).toBe('require-corp');
  } finally {
    await server.close();
  }
});
