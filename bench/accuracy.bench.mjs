import { onIndices } from './losses.mjs';

function accuracy(x, targets, rows, n) {
  let hits = 0;
  for (let row = 0; row < rows; row++) {
    const start = row * n;
    let index = 0;
    for (let i = 1; i < n; i++) if (x[start + i] > x[start + index]) index = i;
    if (index === targets[row]) hits++;
  }
  return hits / rows;
}

export default onIndices('accuracy', accuracy);
