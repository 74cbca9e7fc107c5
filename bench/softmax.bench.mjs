import { alongAxis } from './harness.mjs';
import { withMasks } from './masks.mjs';

export const softmaxRow = (x, y, start, n, stride) => {
  const end = start + n * stride;
  let max = -Infinity;
  for (let i = start; i < end; i += stride) if (x[i] > max) max = x[i];
  let sum = 0;
  for (let i = start; i < end; i += stride) {
    const e = Math.exp(x[i] - max);
    y[i] = e;
    sum += e;
  }
  const scale = 1 / sum;
  for (let i = start; i < end; i += stride) y[i] *= scale;
};

export default withMasks(alongAxis('softmax', softmaxRow), 'softmax', softmaxRow, 0);
