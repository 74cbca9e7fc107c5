import { shuffled } from './random.mjs';

/** The numbers below count in random order, so many at a time. */
export function* batches(count, size, random) {
  const order = shuffled(count, random);
  for (let start = 0; start < count; start += size) yield order.slice(start, start + size);
}

/** The rows of these numbers, each of width elements, in an array of the kind of data. */
export function rowsOf(data, width, indices) {
  const rows = new data.constructor(indices.length * width);
  for (const [i, index] of indices.entries()) rows.set(data.subarray(index * width, (index + 1) * width), i * width);
  return rows;
}
