import { backward, sharesOf } from './backward.mjs';

const row = (y, dy, dx, start, n, stride) => {
  const end = start + n * stride;
  let sum = 0;
  for (let i = start; i < end; i += stride) sum += y[i] * dy[i];
  for (let i = start; i < end; i += stride) dx[i] = y[i] * (dy[i] - sum);
};

export default backward('softmaxBackward', (elements) => sharesOf(elements, 1), row);
