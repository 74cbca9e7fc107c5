/** The rounding error of total = a + b (Knuth's two-sum). */
export function roundingOf(a: number, b: number, total: number): number {
  const added = total - a;
  return a - (total - added) + (b - added);
}

/**
 * Σ values. With compensation for float64 elements: the error is that of a few roundings, however many elements there
 * are. float32 elements do not need it.
 */
export function sumOf(values: Float64Array, elementBytes: 4 | 8): number {
  let sum = 0;
  if (elementBytes === 4) {
    for (let i = 0; i < values.length; i++) sum += values[i]!;
    return sum;
  }
  let lost = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    const total = sum + value;
    lost += roundingOf(sum, value, total);
    sum = total;
  }
  return Number.isFinite(sum) ? sum + lost : sum;
}
