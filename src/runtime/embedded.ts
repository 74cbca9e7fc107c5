import { alphabet, common, text } from '../generated/modules.js';
import type { ModuleBackend } from './backend.js';

/** The embedded modules, in the order in which their functions take turns in the text. */
const MODULES: readonly ModuleBackend[] = ['simd128', 'relaxed-simd'];

/** The bytes of an embedded module; scripts/pack.mjs has the encoding. */
export function embedded(name: ModuleBackend): Uint8Array<ArrayBuffer> {
  const values = new Uint8Array(128);
  for (let i = 0; i < alphabet.length; i++) values[alphabet.charCodeAt(i)] = i;
  const pairs = alphabet.length - common.length;
  const chunks = text.split(',').filter((_, i) => MODULES[i % MODULES.length] === name);
  const codes = chunks.join('');
  const bytes = new Uint8Array(codes.length);
  let length = 0;
  for (let i = 0; i < codes.length; i++) {
    const value = values[codes.charCodeAt(i)]!;
    bytes[length++] = value < pairs ? value * 64 + values[codes.charCodeAt(++i)]! : common[value - pairs]!;
  }
  return bytes.subarray(0, length);
}
