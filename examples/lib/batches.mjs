import { shuffled } from './random.mjs';

/** Batches of indices: the numbers from 0 to count − 1 in random order, `size` at a time. */
export function* batches(count, size, random) {
  const order = shuffled(count, random);
  for (let start = 0; start < count; start += size) yield order.slice(start, start + size);
}

/** The rows with these indices, each of `width` elements, in an array of the same type as `data`. */
export function rowsOf(data, width, indices) {
  const rows = new data.constructor(indices.length * width);
  for (const [i, index] of indices.entries()) rows.set(data.subarray(index * width, (index + 1) * width), i * width);
  return rows;
}
