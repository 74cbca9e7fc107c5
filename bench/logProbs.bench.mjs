import { onIndices } from './losses.mjs';

function logProbs(x, targets, rows, n) {
  const result = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    const start = row * n;
    let max = -Infinity;
    for (let i = start; i < start + n; i++) if (x[i] > max) max = x[i];
    let sum = 0;
    for (let i = start; i < start + n; i++) sum += Math.exp(x[i] - max);
    result[row] = x[start + targets[row]] - max - Math.log(sum);
  }
  return result;
}

export default onIndices('logProbs', logProbs);
