import { POWERS } from './exponential.js';

/** The bits of the least normal float32, and how far above them those of infinity are. */
const LEAST = 0x00800000;
const NORMAL = 0x7f000000;
/** The bits of the float32 where an octave begins that is cut into 128 parts: 1 lies in the middle of one. */
const START = 0x3f328000;

/** 1 / the middle of each part of the octave, in few digits, and 1 for the part around 1; and minus its logarithm. */
const INVERSES = /* @__PURE__ */ Float64Array.from({ length: 128 }, (_, i) => {
  const bits = START + (i << 16) + 0x8000;
  const middle = 2 ** ((bits >> 23) - 127) * (1 + (bits & 0x7fffff) / 2 ** 23);
  return Math.round(512 / middle) / 512;
});
const LOGARITHMS = /* @__PURE__ */ Float64Array.from(INVERSES, (inverse) => -Math.log(inverse));

/**
 * log x of a float32 with its bits, within 2^-38 of itself: x = 2^k · z, z · its part's inverse = 1 + r, log(1 + r) by its
 * series. Math.log takes twice as long.
 */
export function log32(x: number, bits: number): number {
  if ((bits - LEAST) >>> 0 >= NORMAL) return Math.log(x);
  const k = (bits - START) >> 23;
  const part = ((bits - START) >> 16) & 127;
  // Neither product is rounded.
  const r = x * POWERS[1022 - k]! * INVERSES[part]! - 1;
  const s = r * r;
  return k * Math.LN2 + LOGARITHMS[part]! + (r + s * (r * (1 / 3) - 0.5 + s * (r * (1 / 5) - 0.25)));
}
