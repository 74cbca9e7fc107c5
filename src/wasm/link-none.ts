import type { ModuleBackend, Program } from './link.js';

/** What takes the place of link.ts in `softmax-wasm/bare`. @throws Error always: that build has no modules of its own. */
export function link(_program: Program, _backend: ModuleBackend): Uint8Array<ArrayBuffer> {
  throw new Error('softmax-wasm/bare embeds no modules: await init({ module }) first');
}
