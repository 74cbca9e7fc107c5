import { alongAxis } from './harness.mjs';

const row = (x, y, start, n, stride, at) => {
  const end = start + n * stride;
  let max = -Infinity;
  for (let i = start; i < end; i += stride) if (x[i] > max) max = x[i];
  let sum = 0;
  for (let i = start; i < end; i += stride) sum += Math.exp(x[i] - max);
  y[at] = max + Math.log(sum);
};

export default alongAxis('logSumExp', row, { reduces: true, floor: 1 });
