/** How to call each kernel directly, and which of its operands may overlap: the debug build asserts that. */

/** The addresses of a kernel's operands, each with enough room. */
export const PLACES = ['a', 'b', 'c', 'd', 'e', 'f', 'buffer', 'sum', 'scratch'] as const;
export type Places = Record<(typeof PLACES)[number], number>;

/** [3, 50], [3, 7] or [2, 5, 17], and 40 elements where nothing goes along an axis. */
export const SIZES: readonly (readonly [outer: number, n: number, inner: number])[] = [
  [3, 50, 1],
  [3, 7, 1],
  [2, 5, 17],
];
const COUNT = 40;

export type Sizes = (typeof SIZES)[number];

export interface Contract {
  /** The operands for the kernel. */
  readonly operands: (at: Places, ...sizes: Sizes) => Readonly<Record<string, number>>;
  /**
   * Pairs of operands that must not overlap partially: the second is moved to one element behind the start of the
   * first.
   */
  readonly apart: readonly string[];
  /** Pairs of operands that may be the same memory. */
  readonly same: readonly string[];
  /** Operands whose size the kernel does not know, so that it cannot check whether the scratch overlaps them. */
  readonly unchecked?: readonly string[];
}

/** Kernels from x to a result of the same size. */
export const mapped: Contract = {
  operands: ({ a, b, scratch }, outer, n, inner) => ({ x: a, y: b, outer, n, inner, temperature: 1, scratch, mask: 0 }),
  apart: ['ab'],
  same: ['ab'],
};
/** Kernels from x to a number for each row. */
export const reduced: Contract = { ...mapped, same: [] };
/** Kernels from two arrays to a result of the same size. */
export const paired: Contract = {
  operands: ({ a, b, c, scratch }, outer, n, inner) => {
    return { y: a, dx: b, dy: c, outer, n, inner, temperature: 1, scratch };
  },
  apart: ['ab', 'cb'],
  same: ['ab', 'cb'],
};
/** Elementwise kernels. */
export const element: Contract = {
  operands: ({ a, b, scratch }) => ({ x: a, y: b, count: COUNT, scratch }),
  apart: ['ab'],
  same: ['ab'],
};
/** a is x, b the targets, c the losses, d the gradient, e the weights and f the gradients that come in. */
export const classes: Contract = {
  operands: ({ a, b, c, d, e, f, sum, scratch }, outer, n, inner) => {
    const results = { losses: c, gradient: d, scale: 1, gradOutput: f, sum };
    const factors = { temperature: 1, weight: e, smoothing: 0.1, smoothingTerms: 0 };
    return { x: a, targets: b, ...results, ...factors, outer, n, inner, scratch };
  },
  apart: ['ac', 'ad', 'bc', 'bd', 'cd', 'ec', 'ed', 'fc', 'fd'],
  same: ['ad'],
};
export const elementLoss: Contract = {
  operands: ({ a, b, c, d, e, f, sum, scratch }) => {
    const results = { losses: c, gradient: d, scale: 1, gradOutput: e, sum };
    return { x: a, targets: b, ...results, count: COUNT, weight: f, posWeight: f, scratch };
  },
  apart: ['ac', 'ad', 'bc', 'bd', 'cd', 'ec', 'ed'],
  same: ['ac', 'ad', 'bc', 'bd', 'ec', 'ed'],
};

/** Kernels that are parts of operations. */
export const CONTRACTS_OF_PARTS: Readonly<Record<string, Contract>> = {
  applyMask: {
    operands: ({ a, b }, outer, n, inner) => ({ x: a, outer, n, inner, mask: b, value: 0 }),
    apart: [],
    same: [],
  },
  // The descriptor of a mask that keeps nothing, at c.
  smoothTargets: {
    operands: ({ a, b, c }, outer, n, inner) => ({ targets: a, y: b, outer, n, inner, smoothing: 0.1, mask: c }),
    apart: ['ab'],
    same: ['ab'],
  },
  transpose: { operands: ({ a, b }) => ({ x: a, y: b }), apart: ['ab'], same: [] },
  expSums: {
    operands: ({ a, b, scratch }, outer, n, inner) => {
      return { x: a, sums: b, rows: outer * inner, n, temperature: 1, scratch, mask: 0 };
    },
    apart: ['ab'],
    same: [],
  },
  // The descriptor of no weights at all, at c.
  weightedExpSums: {
    operands: ({ a, b, c, scratch }, outer, n, inner) => {
      return { x: a, sums: b, rows: outer * inner, n, temperature: 1, scratch, mask: 0, weights: c };
    },
    apart: ['ab'],
    same: [],
    unchecked: ['c'],
  },
  softmaxOfSums: {
    operands: ({ a, b, c, scratch }, outer, n, inner) => {
      return { x: a, y: b, rows: outer * inner, n, temperature: 1, given: c, scratch };
    },
    apart: ['ab', 'cb'],
    same: ['ab'],
  },
};
