/** The results of rows with special values: as docs/numerics.md states them, and as a test checks them. */

/** Checks the bits of a row's result, which is already known to be within its bounds. */
export type Exactly = (x: ArrayLike<number>, y: ArrayLike<number>) => ArrayLike<number>;

export interface Special {
  readonly says: string;
  readonly is: Exactly;
}

/** A row that … */
export interface SpecialRows {
  readonly 'holds NaN': Special;
  readonly 'holds +∞': Special;
  readonly 'holds nothing but −∞': Special;
  readonly 'holds −∞ beside finite values': Special;
  readonly 'has no elements': string;
  readonly 'holds values up to the largest float': string;
  /** Only for operations that take a mask. */
  readonly 'has elements that its mask does not keep'?: string;
  readonly 'keeps nothing'?: string;
  /** One element is 2.5, all others −∞; docs/numerics.md does not list it. */
  readonly single: Exactly;
}

/** Expects every element to be this value. */
export function all(value: number, says = `all ${value}`): Special {
  return { says, is: (x) => new Float64Array(x.length).fill(value) };
}

/** Expects the row's only number to be this value. */
export function one(value: number, says = `${value}`): Special {
  return { says, is: () => Float64Array.of(value) };
}

/** Expects this value where x is −∞; elsewhere the bounds suffice. */
export function whereInfinite(value: number, says: string): Special {
  return { says, is: (x, y) => Float64Array.from(y, (own, i) => (x[i] === -Infinity ? value : own)) };
}

/** Expects nothing but the bounds. */
export function asIf(says: string): Special {
  return { says, is: (_, y) => y };
}
