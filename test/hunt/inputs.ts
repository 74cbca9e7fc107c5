/** Inputs of a search: they are drawn so that errors add up, and can be changed. */

import type { TestSet } from '../support/backends.js';
import type { LossPart } from '../support/bounds.js';
import { type Dtype, type Floats, floatsOf, HALF_ULP } from '../support/cases.js';
import * as oracle from '../support/oracle.js';
import type { Random } from './climb.js';

/** One array of a call. */
export interface Operand {
  readonly values: Floats;
  /** Another element. */
  readonly letter: Letter;
  /** The largest |element|. */
  readonly most: number;
}

export type Letter = (random: Random) => number;

/** The arguments of a call. Arrays have rows · n elements unless noted otherwise. */
export interface Input {
  readonly dtype: Dtype;
  readonly rows: number;
  readonly n: number;
  /** Whether rows lie side by side, [n, rows], instead of one after the other, [rows, n]. */
  readonly columns: boolean;
  readonly temperature: number;
  readonly operands: Readonly<Record<string, Operand>>;
  /** A class for each row. */
  readonly targets: Int32Array;
  readonly options: Readonly<Record<string, unknown>>;
  /** The largest factor of a subnormal exponential, which may be 0. */
  readonly least?: Record<LossPart, number>;
}

/** How a loss draws its arguments besides the logits: see the records in test/operations/. */
export interface Drawing extends Frame {
  readonly random: Random;
  readonly set: TestSet;
  readonly dtype: Dtype;
  readonly temperature: number;
  /** The logits. */
  readonly x: Operand;
  readonly operand: (letter: Letter, size: number, most?: number) => Operand;
  readonly pick: <T>(values: readonly T[]) => T;
  /** Class indices, one for each row. */
  readonly indices: () => Int32Array;
  /** Weights under this name, or none. */
  readonly weigh: (name: string, size: number) => Readonly<Record<string, Operand>>;
}

/** The arguments of a loss besides its logits. */
export type Draft = (drawing: Drawing) => Partial<Pick<Input, 'options' | 'operands' | 'targets' | 'least'>>;

export function valuesOf(input: Input, name: string): Floats {
  const operand = input.operands[name];
  if (operand === undefined) throw new Error(`no operand ${name}`);
  return operand.values;
}

export function shapeOf({ rows, n, columns }: Input): { shape: number[]; axis: number } {
  return columns ? { shape: [n, rows], axis: 0 } : { shape: [rows, n], axis: 1 };
}

// ---------------------------------------------------------------------------------------------------------------------
// Drawing

export function pick<T>(random: Random, values: readonly T[]): T {
  return values[Math.floor(random() * values.length)] as T;
}

export function between(random: Random, least: number, most: number): number {
  return least + (most - least) * random();
}

/** A number between two positive ones, in which every power of two is equally likely. */
export function between2(random: Random, least: number, most: number): number {
  return 2 ** between(random, Math.log2(least), Math.log2(most));
}

/** The only length that is searched, if it is given: `LENGTH=1024 npm run test:hunt`. */
const ONLY = process.env.LENGTH === undefined ? undefined : Number(process.env.LENGTH);

/** Lengths on both sides of the ends of vectors, partial sums and forms (48, 24). */
const LENGTHS = [2, 3, 4, 5, 7, 8, 9, 10, 15, 16, 17, 18, 23, 24, 25, 33, 40, 47, 48, 49, 64, 65];
const LONG = [100, 128, 129, 255, 257, 300, 1024];
/** Lengths only for long searches, because one result takes milliseconds. */
const LONGEST = [3001, 32_768];

export interface Frame {
  readonly rows: number;
  readonly n: number;
  readonly columns: boolean;
}

/** The shape of an input; `seconds` is what the search takes. */
export function drawFrame(random: Random, dtype: Dtype, seconds: number, rows: readonly number[] = [1]): Frame {
  const luck = random();
  const n = ONLY ?? pick(random, luck < 0.85 ? LENGTHS : luck < 0.99 || seconds < 2 ? LONG : LONGEST);
  if (random() >= 0.15 || n > 1024) return { rows: n > 1024 ? 1 : pick(random, rows), n, columns: false };
  // With fewer columns, the axis would be moved to the end, so that kernels get rows again.
  return { rows: dtype === 'float32' ? 5 : 3, n, columns: true };
}

/**
 * Temperatures: 1, ordinary ones, powers of two, the ends of the range, and the ends of the range of the unshifted
 * form.
 */
export function drawTemperature(random: Random): number {
  const luck = random();
  if (luck < 0.4) return 1;
  if (luck < 0.75) return between2(random, 1 / 16, 16);
  if (luck < 0.8) return 2 ** Math.floor(between(random, -100, 101));
  if (luck < 0.9) return between2(random, 2 ** -100, 2 ** 100);
  return pick(random, [2 ** 24, 2 ** -24]) * between2(random, 0.25, 4);
}

export function drawOperand(random: Random, dtype: Dtype, count: number, letter: Letter, most = Infinity): Operand {
  const limit = Math.min(most, dtype === 'float32' ? 2 ** 120 : 2 ** 1000);
  return {
    values: floatsOf(
      dtype,
      Array.from({ length: count }, () => bounded(letter(random), limit)),
    ),
    letter,
    most: limit,
  };
}

function bounded(value: number, most: number): number {
  return Math.abs(value) === Infinity ? value : Math.max(-most, Math.min(most, value));
}

/** |x / T| where the forms of e^x end: the fast one, what is dropped, and the one that subtracts the maximum. */
const EDGES: Record<Dtype, readonly number[]> = { float32: [64, 128, 256], float64: [512, 749, 1500] };
const REACH: Record<Dtype, number> = { float32: 100, float64: 740 };

/** Logits of many difficult kinds. `most` is the largest |x|, at temperature 1. */
export function logits(random: Random, set: TestSet, dtype: Dtype, temperature: number, most?: number): Letter {
  const range = most ?? pick(random, [8, 30, 80, EDGES[dtype][0] as number, 400, 2000, 1e4]);
  const spread = between2(random, 0.01, Math.min(2 * range, 2 * REACH[dtype]));
  const centre = random() < 0.4 ? 0 : between(random, -range, range);
  const plain: Letter = (r) => (centre + spread * (r() - 0.5)) * temperature;
  switch (Math.floor(random() * 9)) {
    case 0:
    case 1:
      return extremes(random, set, dtype, temperature, Math.min(range, REACH[dtype])) ?? plain;
    case 2:
      return few(random, plain);
    case 3: {
      // A maximum, and elements far or near below it.
      const top = centre * temperature;
      const share = between2(random, 0.001, 0.5);
      return (r) => (r() < share ? top : top - between2(r, 2 ** -12, spread + 1) * temperature);
    }
    case 4: {
      const edge = pick(random, [1, -1]) * Math.min(most ?? Infinity, pick(random, EDGES[dtype])) * temperature;
      return (r) => (r() < 0.3 ? edge * (1 + pick(r, [0, 1e-7, -1e-7, 1e-3])) : edge - plain(r) + centre * temperature);
    }
    case 5:
    case 6: {
      const top = centre * temperature;
      const share = shareOfHalves(random, dtype);
      return (r) => top + Math.log(share(r)) * temperature;
    }
    default:
      return plain;
  }
}

/**
 * 1 or, far more often, about half a unit in the last place of 1, a quarter, or a whole one: additions to 1 may round all of
 * these in the same direction. Some numbers lie between, and outweigh the small ones too.
 */
function shareOfHalves(random: Random, dtype: Dtype): Letter {
  const [large, near] = [between2(random, 0.01, 0.3), pick(random, [0, 0.1])];
  const nudged = pick(random, [1 - 2 ** -6, 1 + 2 ** -6]);
  const sizes = pick(random, [[1], [1, 0.5], [1, 0.5, 0.25, 2, 1e-3]]);
  return (r) => {
    if (r() < large) return r() < near ? between2(r, 2 ** -20, 1) : 1;
    return pick(r, sizes) * HALF_ULP[dtype] * nudged;
  };
}

/** Only a few distinct values: equal terms all round in the same direction. */
export function few(random: Random, letter: Letter): Letter {
  const values = Array.from({ length: 1 + Math.floor(4 * random()) }, () => letter(random));
  return (r) => pick(r, values);
}

const CANDIDATES = 256;
const KEPT = 12;

/** Logits whose e^x has the largest errors, some in one direction, the others in the other. */
function extremes(random: Random, set: TestSet, dtype: Dtype, temperature: number, range: number): Letter | undefined {
  // With a maximum that much larger, a probability is e^x up to a common factor.
  const top = (range + (dtype === 'float32' ? 18 : 40)) * temperature;
  const x = floatsOf(
    dtype,
    Array.from({ length: CANDIDATES }, () => between(random, -range, range) * temperature),
  );
  const pairs = floatsOf(
    dtype,
    Array.from(x).flatMap((value) => [value, top]),
  );
  const p = set.kernels.softmax(pairs, { shape: [CANDIDATES, 2], temperature });
  const errors = Array.from(x, (value, i) => {
    const { hi, lo } = oracle.softmax(oracle.precisionOf(dtype), pairs.subarray(2 * i, 2 * i + 2), temperature);
    return { value, error: ((p[2 * i] as number) - (hi[0] as number) - (lo[0] as number)) / (hi[0] as number) };
  }).filter(({ error }) => Math.abs(error) < 1e-3);
  if (errors.length < 2 * KEPT) return undefined;
  const sorted = errors.sort((a, b) => a.error - b.error).map(({ value }) => value);
  const sides = [sorted.slice(0, KEPT), sorted.slice(-KEPT)];
  if (random() < 0.5) sides.reverse();
  const share = pick(random, [0, 0.03, 0.1, 0.5]);
  return (r) => pick(r, sides[r() < share ? 0 : 1] as number[]);
}

/** Numbers of both signs: of similar magnitude, of all magnitudes, equal except for the sign, or nearly all equal. */
export function gradients(random: Random, dtype: Dtype): Letter {
  const size = between2(random, 2 ** -20, 2 ** 20);
  const plain: Letter = (r) => size * between(r, -1, 1);
  switch (Math.floor(random() * 7)) {
    case 0:
      return (r) => pick(r, [-1, 1]) * between2(r, 2 ** -20, 2 ** 20);
    case 1:
      return (r) => pick(r, [-size, size]);
    case 2:
      return (r) => size * (1 + 0.01 * (r() - 0.5));
    case 3:
      return few(random, plain);
    case 4: {
      const share = shareOfHalves(random, dtype);
      const [first, sign] = [size * between(random, 1, 1.1), pick(random, [-1, 1])];
      return (r) => {
        const value = first * share(r);
        return Math.abs(value) < 2 ** -20 * first ? sign * value : value;
      };
    }
    default:
      return plain;
  }
}

/** Numbers of one sign, up to `most`. */
export function ofOneSign(random: Random, dtype: Dtype, most: number): Letter {
  const plain: Letter = (r) => most * r();
  switch (Math.floor(random() * 5)) {
    case 0:
      return (r) => most * between2(r, 2 ** -30, 1);
    case 1:
      return few(random, plain);
    case 2:
      return (r) => (r() < 0.3 ? pick(r, [0, most]) : plain(r));
    case 3: {
      const share = shareOfHalves(random, dtype);
      const first = most * between(random, 0.5, 1);
      return (r) => first * share(r);
    }
    default:
      return plain;
  }
}

export function drawTargets(random: Random, rows: number, n: number): Int32Array {
  return Int32Array.from({ length: rows }, () => Math.floor(random() * n));
}

// ---------------------------------------------------------------------------------------------------------------------
// Changing

/** The input with one of its parts changed, most often an array. */
export function mutateInput(input: Input, at: number, random: Random): Input {
  const luck = random();
  if (input.temperature !== 1 && luck < 0.05) {
    const temperature = input.temperature * nudge(random, 'float64');
    return { ...input, temperature: Math.max(2 ** -100, Math.min(2 ** 100, temperature)) };
  }
  if (input.targets.length > 0 && luck < 0.1) {
    const targets = input.targets.slice();
    targets[Math.floor(random() * targets.length)] = Math.floor(random() * input.n);
    return { ...input, targets };
  }
  const name = pick(random, Object.keys(input.operands));
  const operand = input.operands[name] as Operand;
  const operands = { ...input.operands, [name]: { ...operand, values: mutate(input.dtype, operand, at, random) } };
  return { ...input, operands };
}

function mutate(dtype: Dtype, { values, letter, most }: Operand, at: number, random: Random): Floats {
  const result = values.slice();
  const { length } = result;
  const anywhere = () => Math.floor(random() * length);
  const place = at < length && random() < 0.25 ? at : anywhere();
  const value = result[place] as number;
  switch (Math.floor(random() * 8)) {
    case 0:
    case 1:
      result[place] = letter(random);
      break;
    case 2:
    case 3:
      result[place] = value * nudge(random, dtype);
      break;
    case 4:
      result[place] = result[anywhere()] as number;
      break;
    case 5: {
      const other = anywhere();
      [result[place], result[other]] = [result[other] as number, value];
      break;
    }
    case 6:
      for (let i = place, end = place + 1 + random() ** 2 * length; i < Math.min(end, length); i++) result[i] = value;
      break;
    default:
      for (let i = 0; i < 1 + length / 8; i++) result[anywhere()] = letter(random);
  }
  for (let i = 0; i < length; i++) result[i] = bounded(result[i] as number, most);
  return result;
}

/** A factor close to 1: up to 2^20 units in the last place away, often only one. */
function nudge(random: Random, dtype: Dtype): number {
  return 1 + pick(random, [-1, 1]) * 2 ** ((dtype === 'float32' ? -23 : -52) + Math.floor(20 * random()));
}

// ---------------------------------------------------------------------------------------------------------------------
// Printing

/** The input as a line of text: runs of equal elements are shortened, and long arrays are written as bytes. */
export function describeInput({ dtype, rows, n, columns, temperature, operands, targets, options }: Input): string {
  const parts = Object.entries(operands).map(([name, { values }]) => `${name} = ${show(values)}`);
  if (targets.length > 0) parts.push(`targets = [${targets}]`);
  const rest = JSON.stringify(options, (_, value) => (ArrayBuffer.isView(value) ? show(value as Floats) : value));
  return `${dtype} [${columns ? [n, rows] : [rows, n]}], temperature ${temperature}, ${rest}, ${parts.join(', ')}`;
}

function show(values: Floats): string {
  const runs: [value: number, count: number][] = [];
  for (const value of values) {
    const last = runs.at(-1);
    if (last !== undefined && Object.is(last[0], value)) last[1]++;
    else runs.push([value, 1]);
  }
  if (runs.length > 100) return `base64 ${Buffer.from(values.buffer).toString('base64')}`;
  return `[${runs.map(([value, count]) => (count > 1 ? `${count} × ${value}` : value)).join(', ')}]`;
}
