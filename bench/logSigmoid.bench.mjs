import { elementWise } from './harness.mjs';

export default elementWise('logSigmoid', (x, y) => {
  for (let i = 0; i < x.length; i++) y[i] = Math.min(x[i], 0) - Math.log1p(Math.exp(-Math.abs(x[i])));
});
