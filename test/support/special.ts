/** What rows with special values give: as the page says it, and as a test checks it. */

/** Given a row and its result, which is right within its bounds: what it is, to the bit. */
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
  /** These two of operations that take a mask. */
  readonly 'has elements that its mask does not keep'?: string;
  readonly 'keeps nothing'?: string;
  /** One element is 2.5, all others −∞; not on the page. */
  readonly single: Exactly;
}

/** Every element is this. */
export function all(value: number, says = `all ${value}`): Special {
  return { says, is: (x) => new Float64Array(x.length).fill(value) };
}

/** The row's one number is this. */
export function one(value: number, says = `${value}`): Special {
  return { says, is: () => Float64Array.of(value) };
}

/** Where x is −∞ the result is this; elsewhere it is what the bounds say. */
export function whereInfinite(value: number, says: string): Special {
  return { says, is: (x, y) => Float64Array.from(y, (own, i) => (x[i] === -Infinity ? value : own)) };
}

/** No more than the bounds say. */
export function asIf(says: string): Special {
  return { says, is: (_, y) => y };
}
