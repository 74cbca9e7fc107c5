import { onIndices } from './losses.mjs';

const BINS = 15;

/** ECE, MCE, Brier score and loss, row by row. */
function calibrationError(x, targets, rows, n) {
  const p = new Float64Array(n);
  const counts = new Int32Array(BINS);
  const right = new Int32Array(BINS);
  const confidences = new Float64Array(BINS);
  let brier = 0;
  let nll = 0;
  for (let row = 0; row < rows; row++) {
    const start = row * n;
    const target = targets[row];
    let best = 0;
    for (let i = 1; i < n; i++) if (x[start + i] > x[start + best]) best = i;
    let sum = 0;
    for (let i = 0; i < n; i++) sum += p[i] = Math.exp(x[start + i] - x[start + best]);
    for (let i = 0; i < n; i++) brier += (p[i] / sum - (i === target ? 1 : 0)) ** 2;
    nll += Math.log(sum) - (x[start + target] - x[start + best]);
    const bin = Math.min(Math.max(Math.ceil(BINS / sum) - 1, 0), BINS - 1);
    counts[bin]++;
    confidences[bin] += 1 / sum;
    if (best === target) right[bin]++;
  }
  let ece = 0;
  let mce = 0;
  for (let bin = 0; bin < BINS; bin++) {
    if (counts[bin] === 0) continue;
    const gap = Math.abs(right[bin] - confidences[bin]);
    ece += gap / rows;
    mce = Math.max(mce, gap / counts[bin]);
  }
  return [ece, mce, brier / rows, nll / rows];
}

export default onIndices('calibrationError', calibrationError, {
  figuresOf: ({ ece, mce, brier, nll }) => [ece, mce, brier, nll],
});
