/** How far the sum of probabilities may be from 1: float16 rounding and printed digits are within it. */
export const TOLERANCE = 1e-3;

export function many(count: number, one: string, more: string): string {
  return count === 1 ? `1 ${one}` : `${count} ${more}`;
}

/** The subject and verb of a sentence about so many of all rows. */
export function share(count: number, rows: number): string {
  if (rows === 1) return 'The row holds';
  return count === rows ? 'Every row holds' : `${count} of ${rows} rows ${count === 1 ? 'holds' : 'hold'}`;
}
