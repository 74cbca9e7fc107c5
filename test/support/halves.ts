import { readFileSync } from 'node:fs';
import type { Half } from '../../src/arrays.js';

/** The kernels of a build that convert 16-bit floats. */
export interface HalfConversions {
  widen(half: Half, bits: Uint16Array): Float32Array;
  narrow(half: Half, floats: Float32Array): Uint16Array;
}

const [X, Y] = [2 ** 16, 2 ** 20];

export function openHalves(build: 'simd128' | 'relaxed-simd'): HalfConversions {
  const memory = new WebAssembly.Memory({ initial: 64 });
  const module = new WebAssembly.Module(readFileSync(`build/${build}.wasm`));
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  const convert = (way: 'widen' | 'narrow', half: Half, count: number) =>
    (exports[`${way}${half === 'float16' ? 'Float16' : 'Bfloat16'}`] as (...of: number[]) => void)(X, Y, count);
  return {
    widen(half, bits) {
      new Uint16Array(memory.buffer, X).set(bits);
      convert('widen', half, bits.length);
      return new Float32Array(memory.buffer, Y, bits.length);
    },
    narrow(half, floats) {
      new Float32Array(memory.buffer, X).set(floats);
      convert('narrow', half, floats.length);
      return new Uint16Array(memory.buffer, Y, floats.length);
    },
  };
}

export function isNan(half: Half, bits: number): boolean {
  return (bits & 0x7fff) > (half === 'float16' ? 0x7c00 : 0x7f80);
}
