import { loss, probabilities } from './losses.mjs';

function bceWithLogits(x, targets, gradient) {
  let total = 0;
  for (let i = 0; i < x.length; i++) {
    const e = Math.exp(-Math.abs(x[i]));
    total += Math.max(x[i], 0) - targets[i] * x[i] + Math.log1p(e);
    if (gradient !== undefined) gradient[i] = ((x[i] < 0 ? e : 1) / (1 + e) - targets[i]) / x.length;
  }
  return total / x.length;
}

export default loss('bceWithLogits', probabilities, bceWithLogits);
