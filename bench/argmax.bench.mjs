import { alongAxis } from './harness.mjs';

const row = (x, y, start, n, stride, at) => {
  let index = 0;
  for (let i = 1; i < n; i++) if (x[start + i * stride] > x[start + index * stride]) index = i;
  y[at] = index;
};

export default alongAxis('argmax', row, { reduces: true, indices: true });
