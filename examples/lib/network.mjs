// A small network of dense layers in plain typed arrays, so that the examples need no framework.
import { normal } from './random.mjs';

const MOMENTUM = 0.9;

class Dense {
  constructor(inputs, outputs, random) {
    this.inputs = inputs;
    this.outputs = outputs;
    const deviation = Math.sqrt(2 / inputs);
    this.weights = Float32Array.from({ length: inputs * outputs }, () => deviation * normal(random));
    this.biases = new Float32Array(outputs);
    this.weightSpeed = new Float32Array(inputs * outputs);
    this.biasSpeed = new Float32Array(outputs);
  }

  /** y = x · weights + biases, for every row of x. */
  forward(x, rows) {
    const { inputs, outputs, weights, biases } = this;
    this.x = x;
    const y = new Float32Array(rows * outputs);
    for (let row = 0; row < rows; row++) {
      y.set(biases, row * outputs);
      for (let i = 0; i < inputs; i++) {
        const factor = x[row * inputs + i];
        if (factor === 0) continue;
        for (let o = 0; o < outputs; o++) y[row * outputs + o] += factor * weights[i * outputs + o];
      }
    }
    return y;
  }

  /** Updates the weights from the gradient with respect to y, and returns the gradient with respect to x. */
  backward(dy, rows, rate) {
    const { inputs, outputs, weights, biases, weightSpeed, biasSpeed, x } = this;
    const dx = new Float32Array(rows * inputs);
    for (let k = 0; k < weightSpeed.length; k++) weightSpeed[k] *= MOMENTUM;
    for (let k = 0; k < biasSpeed.length; k++) biasSpeed[k] *= MOMENTUM;
    for (let row = 0; row < rows; row++) {
      for (let o = 0; o < outputs; o++) biasSpeed[o] += dy[row * outputs + o];
      for (let i = 0; i < inputs; i++) {
        const factor = x[row * inputs + i];
        let sum = 0;
        for (let o = 0; o < outputs; o++) {
          const slope = dy[row * outputs + o];
          sum += slope * weights[i * outputs + o];
          weightSpeed[i * outputs + o] += factor * slope;
        }
        dx[row * inputs + i] = sum;
      }
    }
    for (let k = 0; k < weights.length; k++) weights[k] -= rate * weightSpeed[k];
    for (let k = 0; k < biases.length; k++) biases[k] -= rate * biasSpeed[k];
    return dx;
  }
}

/** Dense layers of these sizes, with a ReLU between each two. The output is logits, without softmax. */
export class Network {
  constructor(sizes, random) {
    this.layers = sizes.slice(1).map((outputs, i) => new Dense(sizes[i], outputs, random));
  }

  forward(x, rows) {
    let y = x;
    for (const layer of this.layers) {
      if (y !== x) for (let i = 0; i < y.length; i++) y[i] = Math.max(y[i], 0);
      y = layer.forward(y, rows);
    }
    return y;
  }

  /** One step of gradient descent with momentum, from the gradient with respect to the logits of the last forward. */
  learn(dLogits, rows, rate) {
    let dy = dLogits;
    for (const layer of [...this.layers].reverse()) {
      const dx = layer.backward(dy, rows, rate);
      for (let i = 0; i < dx.length; i++) if (layer.x[i] <= 0) dx[i] = 0;
      dy = dx;
    }
  }
}
