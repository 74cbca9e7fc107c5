import { alongAxis } from './harness.mjs';

const row = (x, y, start, n, stride, at) => {
  const end = start + n * stride;
  let max = -Infinity;
  for (let i = start; i < end; i += stride) if (x[i] > max) max = x[i];
  let sum = 0;
  let dot = 0;
  for (let i = start; i < end; i += stride) {
    const e = Math.exp(x[i] - max);
    sum += e;
    dot += e * (max - x[i]);
  }
  y[at] = Math.log(sum) + dot / sum;
};

export default alongAxis('entropy', row, { reduces: true, floor: 1 });
