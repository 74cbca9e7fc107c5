import { loss, probabilities } from './losses.mjs';

function klDiv(x, targets, gradient) {
  let total = 0;
  for (let i = 0; i < x.length; i++) {
    const t = targets[i];
    if (t > 0) total += t * (Math.log(t) - x[i]);
    if (gradient !== undefined) gradient[i] = -t / x.length;
  }
  return total / x.length;
}

// The input is logarithms of probabilities, which are at most 0.
export default loss('klDiv', probabilities, klDiv, { prepare: (x) => x.map((v) => -Math.abs(v)) });
