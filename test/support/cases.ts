/** Problems to compute: seeded numbers of many kinds, in sizes and shapes at which code paths change. */

export type Dtype = 'float32' | 'float64';
export type Floats = Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;

export const DTYPES: readonly Dtype[] = ['float32', 'float64'];

export interface Problem {
  /** The name of the problem in failures. */
  readonly what: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly axis: number;
  readonly temperature: number;
  readonly x: Floats;
  /** The mask; without a shape it has x's size. */
  readonly mask?: Flags | { readonly data: Flags; readonly shape: readonly number[] };
  readonly causal?: boolean;
  /** The weights of logSumExp; without a shape they have x's size. */
  readonly weights?: Floats | { readonly data: Floats; readonly shape: readonly number[] };
}

/** The elements of masks. */
export type Flags =
  | readonly boolean[]
  | Int8Array
  | Int16Array
  | Uint16Array
  | Uint8Array
  | Uint8ClampedArray
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

export function newFloats(dtype: Dtype, length: number): Floats {
  return dtype === 'float32' ? new Float32Array(length) : new Float64Array(length);
}

export function floatsOf(dtype: Dtype, values: Iterable<number>): Floats {
  return dtype === 'float32' ? Float32Array.from(values) : Float64Array.from(values);
}

/** The number of elements in a vector. */
export function lanesOf(dtype: Dtype): number {
  return dtype === 'float32' ? 4 : 2;
}

export function bytesOf(dtype: Dtype): 4 | 8 {
  return dtype === 'float32' ? 4 : 8;
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

/** Numbers in [0, 1) from a seed: mulberry32, twice for all bits of a double. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
  return () => ((next() >>> 5) * 2 ** 26 + (next() >>> 6)) / 2 ** 53;
}

/** Kinds of numbers. Each takes a different code path in some kernel. */
export const KINDS = {
  'within ±8': (random: () => number) => 16 * random() - 8,
  'within ±30': (random: () => number) => 60 * random() - 30,
  'within ±79': (random: () => number) => 158 * random() - 79,
  'around 1000': (random: () => number) => 990 + 20 * random(),
  'around -100': (random: () => number) => -100 + 30 * random(),
  'around 600': (random: () => number) => 600 + 200 * random(),
  'within ±1e4': (random: () => number) => 2e4 * random() - 1e4,
  'within ±1e38': (random: () => number) => 2e38 * random() - 1e38,
  'few values': (random: () => number) => Math.floor(4 * random()) - 2,
  // Equal terms, whose roundings all have the same direction: the worst case of a sum.
  'all equal': () => 1.4,
  'long runs of equals': runs,
  subnormal: (random: () => number) => 1e-40 * (random() - 0.5),
  'some -∞': (random: () => number) => (random() < 0.3 ? -Infinity : 10 * random() - 5),
  'one far above': (random: () => number) => (random() < 0.1 ? 300 : 10 * random() - 5),
} as const;

let run = { value: 0, left: 0 };

function runs(random: () => number): number {
  if (run.left-- <= 0) run = { value: 16 * random() - 8, left: 200 * random() };
  return run.value;
}

export type Kind = keyof typeof KINDS;
export const ALL_KINDS = Object.keys(KINDS) as Kind[];

const drawn = new Map<string, Floats>();
/** The least elements of an array that is worth caching, and the most elements of all cached arrays. */
const [LONG, KEPT] = [256, 2 ** 22];
let kept = 0;

/**
 * Seeded numbers. Long arrays are cached, because every backend needs the same ones, and copying is faster than
 * drawing.
 */
export function numbers(dtype: Dtype, length: number, kind: Kind, seed: number): Floats {
  if (length < LONG) return draw(dtype, length, kind, seed);
  const key = `${dtype} ${length} ${kind} ${seed}`;
  const known = drawn.get(key);
  const found = known ?? draw(dtype, length, kind, seed);
  if (known === undefined) kept += length;
  drawn.delete(key);
  drawn.set(key, found);
  for (const [oldest, { length: freed }] of drawn) {
    if (kept <= KEPT) break;
    drawn.delete(oldest);
    kept -= freed;
  }
  return found.slice() as Floats;
}

function draw(dtype: Dtype, length: number, kind: Kind, seed: number): Floats {
  const random = randomOf(seed);
  const next = KINDS[kind];
  run.left = 0;
  const x = newFloats(dtype, length);
  for (let i = 0; i < length; i++) x[i] = next(random);
  return x;
}

export function problem(
  dtype: Dtype,
  shape: readonly number[],
  kind: Kind,
  { axis = -1, temperature = 1, seed = 1 }: { axis?: number; temperature?: number; seed?: number } = {},
): Problem {
  return {
    what: `${dtype} [${shape.join(', ')}], axis ${axis}, temperature ${temperature}, ${kind}`,
    dtype,
    shape,
    axis,
    temperature,
    x: numbers(dtype, sizeOf(shape), kind, seed),
  };
}

/**
 * Rows with a maximum and one other element, at all distances and on both sides of where kernels change their form.
 * With nothing else in the sum, log-softmax shows every digit of the other's exponential.
 */
export function lonelyMaxima(dtype: Dtype, n: number, temperature: number): Problem {
  const maxima =
    dtype === 'float32'
      ? [0, 63, 65, 127, 129, 140, 190, 200, 257, 1000]
      : [0, 511, 513, 1023, 1025, 1100, 1250, 1400, 1500, 3000];
  const reach = dtype === 'float32' ? 100 : 740;
  const random = randomOf(n);
  const rows = 40 * maxima.length;
  const x = newFloats(dtype, rows * n).fill(-Infinity);
  for (let r = 0; r < rows; r++) {
    const sign = r % 2 === 0 ? 1 : -1;
    const max = sign * (maxima[r % maxima.length] as number) * (1 + 1e-3 * random()) * temperature;
    x[r * n + (r % n)] = max;
    x[r * n + ((r + 1) % n)] = max - reach * random() * temperature;
  }
  const what = `${dtype} [${rows}, ${n}], temperature ${temperature}, a maximum and one other`;
  return { what, dtype, shape: [rows, n], axis: -1, temperature, x };
}

/**
 * Lengths at which a code path changes: whole vectors and groups of four, the change from transposed blocks to rows
 * (48, 24), partial sums (8 and 64 elements of a column, 256 of a row); and primes.
 */
export function lengths(dtype: Dtype): number[] {
  const l = lanesOf(dtype);
  const around = (n: number) => [n - 1, n, n + 1];
  const all = [0, 1, 2, 3, ...around(l), ...around(4 * l), ...[8, 16, 24, 48, 64, 72, 256, 512].flatMap(around)];
  return [...new Set([...all, 13, 31, 101, 127, 509, 1000])].sort((a, b) => a - b);
}

/**
 * Shapes and axes of each form: a few times as large as the staging memory (64 Ki float32 of arguments and results
 * together), or with single rows that are larger. They are no larger, because the reference has to compute all of it.
 */
export const LARGE: readonly (readonly [shape: readonly number[], axis: number])[] = [
  [[70, 1000], 1],
  [[3, 30_000], 1],
  [[2, 70_000], 1],
  [[7001, 10], 1],
  [[40, 50, 17], 1],
  [[2, 900, 40], 1],
  [[5, 3000, 3], 1],
  [[1, 20_000, 2], 1],
  [[100, 700], 0],
];

/** The last numbers of rows are more than a block of rows that are not short. */
export const ROW_COUNTS: readonly number[] = [1, 3, 4, 5, 16, 17, 400];

/** The product of the sizes behind the axis. */
export function innerSizes(dtype: Dtype): number[] {
  const l = lanesOf(dtype);
  return [...new Set([1, 2, 3, l - 1, l, l + 1, 16, 17, 300])].sort((a, b) => a - b);
}

/** A shape of each rank with all of its axes, negative ones included. */
export function everyAxis(): { shape: number[]; axis: number }[] {
  const shapes = [[7], [5, 6], [3, 4, 5], [2, 3, 4, 5], [3, 1, 50], [50, 1, 3], [2, 49, 2]];
  return shapes.flatMap((shape) =>
    shape.flatMap((_, axis) => [
      { shape, axis },
      { shape, axis: axis - shape.length },
    ]),
  );
}

/**
 * What each element of a row adds to a sum that begins with the first element, in half units in the last place of that sum.
 * Vector lanes that add one partial sum of four vectors after another, in pairs or one by one, round every addition away.
 */
export function halves(lanes: number, vectors: number, inPairs: boolean): Float64Array {
  const result = new Float64Array(vectors * lanes);
  const whole = vectors & ~3;
  for (let v = 1; v < vectors; v++) {
    const isFirst = v % 4 === 0 || v >= whole;
    const share = v < 4 && v < whole ? (inPairs && v > 1 ? 0.5 : 1) : isFirst ? 1 : 0;
    // Just less than a half: halves themselves are rounded to even.
    result[v * lanes] = share * (1 - 2 ** -6);
  }
  return result;
}

/** Half a unit in the last place of 1. */
export const HALF_ULP: Record<Dtype, number> = { float32: 2 ** -24, float64: 2 ** -53 };

/**
 * Logits whose exponentials are a large one and half units in its last place, some with a maximum that is even larger:
 * in one lane of whole vectors, or one after another, in this many equal columns.
 */
export function logitsWithHalves(dtype: Dtype, lanes: number, columns: number): Problem[] {
  const [nothing, far] = dtype === 'float32' ? [-60, 200] : [-500, 1000];
  return [7, 15, 16, 17, 31, 33].flatMap((vectors) =>
    [true, false].flatMap((inPairs) =>
      Array.from({ length: 12 }, (_, i) => {
        const counts = halves(lanes, vectors, inPairs);
        const [first, around] = [(i % 4) * 1.7, i < 6 ? i / 7 : far];
        const x = counts.map((count) => around - first + (count > 0 ? Math.log(count * HALF_ULP[dtype]) : nothing));
        x[0] = around - first;
        if (first > 0) x[x.length - 1] = around;
        const shape = [x.length, columns];
        return {
          what: `${dtype} [${shape}], halves ${inPairs ? 'in pairs ' : ''}beside e^${x[0]}, maximum ${around}`,
          dtype,
          shape,
          axis: 0,
          temperature: 1,
          x: floatsOf(
            dtype,
            Array.from({ length: sizeOf(shape) }, (_, at) => x[Math.floor(at / columns)] as number),
          ),
        };
      }),
    ),
  );
}
