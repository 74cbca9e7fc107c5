import type { Half } from './arrays.js';

/** Conversion between 16-bit floats and numbers, rounded to nearest, ties to even. */

const float64 = new Float64Array(1);
const float32 = new Float32Array(1);
const words64 = new Uint32Array(float64.buffer);
const word32 = new Uint32Array(float32.buffer);

/** 2^-24 · 2^i, the unit of the last place of float16 by its exponent. */
const UNITS = Array.from({ length: 32 }, (_, i) => 2 ** (i - 24));

export function widen(half: Half, bits: number): number {
  return half === 'float16' ? widenFloat16(bits) : widenBfloat16(bits);
}

/** The bits of the 16-bit float nearest to a number; for bfloat16 the number must be a float32. */
export function narrow(half: Half, value: number): number {
  return half === 'float16' ? narrowFloat16(value) : narrowBfloat16(value);
}

function widenFloat16(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const magnitude =
    exponent === 31
      ? fraction === 0
        ? Infinity
        : NaN
      : exponent === 0
        ? fraction * UNITS[0]!
        : (1024 + fraction) * UNITS[exponent - 1]!;
  return bits & 0x8000 ? -magnitude : magnitude;
}

function narrowFloat16(value: number): number {
  float64[0] = value;
  const high = words64[1]!;
  const sign = (high >>> 16) & 0x8000;
  if (Number.isNaN(value)) return sign | 0x7e00;
  // Everything from 65536 on becomes Infinity, and so, by the same arithmetic, do the numbers below that round to it.
  const magnitude = Math.min(Math.abs(value), 65536);
  const exponent = Math.max(Math.min((high >>> 20) & 2047, 1039) - 1009, 0);
  // Rounds to a whole number of units, ties to even: at 2^52 the unit in the last place is 1.
  const units = magnitude / UNITS[exponent]! + 2 ** 52 - 2 ** 52;
  return sign | (units + (exponent << 10));
}

function widenBfloat16(bits: number): number {
  word32[0] = bits << 16;
  return float32[0]!;
}

function narrowBfloat16(value: number): number {
  float32[0] = value;
  const word = word32[0]!;
  return Number.isNaN(value) ? (word >>> 16) | 64 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
}
