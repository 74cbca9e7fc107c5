import { alphabet, common } from '../generated/alphabet.js';

/** Backends that are modules, in two builds of the same kernels. */
export type ModuleBackend = 'relaxed-simd' | 'simd128';

/** Kernels that share a module: its simd128 build as text, and what differs in relaxed-simd. scripts/pack.mjs says why. */
export interface Family {
  readonly name: string;
  readonly text: string;
  readonly patch: string;
}

/** The bytes of a family's module. */
export function embedded({ text, patch }: Family, backend: ModuleBackend): Uint8Array<ArrayBuffer> {
  const simd128 = decode(text);
  return backend === 'simd128' ? simd128 : apply(decode(patch), simd128);
}

/** A character is a common byte, or the first of two digits. */
function decode(codes: string): Uint8Array<ArrayBuffer> {
  const values = new Uint8Array(128);
  for (let i = 0; i < alphabet.length; i++) values[alphabet.charCodeAt(i)] = i;
  const pairs = alphabet.length - common.length;
  const bytes = new Uint8Array(codes.length);
  let length = 0;
  for (let i = 0; i < codes.length; i++) {
    const value = values[codes.charCodeAt(i)]!;
    bytes[length++] = value < pairs ? value * 64 + values[codes.charCodeAt(++i)]! : common[value - pairs]!;
  }
  return bytes.subarray(0, length);
}

/** A change is how many bytes to copy, how many to leave out and to insert in half a byte each, and what to insert. */
function apply(changes: Uint8Array, base: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(base.length + changes.length);
  let length = 0;
  let from = 0;
  for (let i = 0; i < changes.length; ) {
    const copied = changes[i++]!;
    const changed = changes[i++]!;
    bytes.set(base.subarray(from, from + copied), length);
    from += copied + (changed >> 4);
    length += copied;
    for (const end = length + (changed & 15); length < end; ) bytes[length++] = changes[i++]!;
  }
  return bytes.subarray(0, length);
}
