import { backward } from './backward.mjs';
import { logits } from './harness.mjs';

const row = (logP, dy, dx, start, n, stride) => {
  const end = start + n * stride;
  let sum = 0;
  for (let i = start; i < end; i += stride) sum += dy[i];
  for (let i = start; i < end; i += stride) dx[i] = dy[i] - Math.exp(logP[i]) * sum;
};

export default backward('logSoftmaxBackward', (elements) => logits(elements).map((v) => -Math.abs(v)), row);
