import { alongAxis } from './harness.mjs';

const row = (x, y, start, n, stride) => {
  const end = start + n * stride;
  let max = -Infinity;
  for (let i = start; i < end; i += stride) if (x[i] > max) max = x[i];
  let sum = 0;
  for (let i = start; i < end; i += stride) sum += Math.exp(x[i] - max);
  const shift = max + Math.log(sum);
  for (let i = start; i < end; i += stride) y[i] = x[i] - shift;
};

export default alongAxis('logSoftmax', row, { floor: 1 });
