import type { Family, ModuleBackend } from './embedded.js';

/** What takes the place of embedded.ts in `softmax-wasm/bare`. @throws Error always: that build has no modules of its own. */
export function embedded(_family: Family, _backend: ModuleBackend): Uint8Array<ArrayBuffer> {
  throw new Error('softmax-wasm/bare embeds no modules: await init({ module }) first');
}
