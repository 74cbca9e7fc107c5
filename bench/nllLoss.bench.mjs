import { classIndices, loss } from './losses.mjs';

function nllLoss(x, targets, gradient, rows, n) {
  let total = 0;
  gradient?.fill(0);
  for (let row = 0; row < rows; row++) {
    const at = row * n + targets[row];
    total -= x[at];
    if (gradient !== undefined) gradient[at] = -1 / rows;
  }
  return total / rows;
}

export default loss('nllLoss', classIndices, nllLoss);
