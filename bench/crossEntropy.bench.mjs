import { classIndices, loss } from './losses.mjs';

function crossEntropy(x, targets, gradient, rows, n) {
  let total = 0;
  for (let row = 0; row < rows; row++) {
    const start = row * n;
    const end = start + n;
    let max = -Infinity;
    for (let i = start; i < end; i++) if (x[i] > max) max = x[i];
    let sum = 0;
    if (gradient === undefined) {
      for (let i = start; i < end; i++) sum += Math.exp(x[i] - max);
    } else {
      for (let i = start; i < end; i++) {
        const e = Math.exp(x[i] - max);
        gradient[i] = e;
        sum += e;
      }
      const scale = 1 / (sum * rows);
      for (let i = start; i < end; i++) gradient[i] *= scale;
      gradient[start + targets[row]] -= 1 / rows;
    }
    total += max + Math.log(sum) - x[start + targets[row]];
  }
  return total / rows;
}

export default loss('crossEntropy', classIndices, crossEntropy);
