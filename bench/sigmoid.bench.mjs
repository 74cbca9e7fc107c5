import { elementWise } from './harness.mjs';

export default elementWise('sigmoid', (x, y) => {
  for (let i = 0; i < x.length; i++) y[i] = 1 / (1 + Math.exp(-x[i]));
});
