// How many vector instructions a kernel needs for one vector, which is four float32 elements: counted in the text of
// the built modules.

/** Functions with a main loop, and how many vectors an iteration of it computes. */
const LOG_SUM = { of: 'rows/logsum/logSumUnshifted<f32>', vectors: 4 };
const LOG_SUM_STORED = { of: 'rows/logsum/expLogSumUnshifted<f32>', vectors: 4 };
const AFFINE = { of: 'rows/scale/rowAffine<f32>', vectors: 4 };
const SCALE = { of: 'rows/scale/rowScale<f32>', vectors: 4 };

/** The loops that go over all elements of long rows, one after another, by operation. */
const LOOPS = {
  "softmax's instructions": [{ of: 'checks/ceilings/mixOfSoftmax', vectors: 2 }],
  softmax: [{ of: 'kernels/softmax/softmax/rowForm<f32>', vectors: 4 }],
  logSoftmax: [LOG_SUM, AFFINE],
  logSumExp: [LOG_SUM],
  crossEntropyWithGrad: [LOG_SUM_STORED, SCALE],
  bceWithLogitsWithGrad: [{ of: 'kernels/elementwise/bceWithLogits/plainGradient<f32>', vectors: 2 }],
  sigmoid: [{ of: 'kernels/elementwise/sigmoid/vectors<f32>', vectors: 2 }],
  logSigmoid: [{ of: 'kernels/elementwise/logSigmoid/vectors<f32>', vectors: 2 }],
};

const INSTRUCTION = /^(?:v128|[if]\d+x\d+)\.(?!const)/;

/** How many vector instructions an operation needs for one vector; undefined if its loops are not listed. */
export function instructionsOf(operation, text) {
  return LOOPS[operation]?.reduce((sum, { of, vectors }) => sum + largestLoop(of, text) / vectors, 0);
}

/** How many vector instructions a function's largest loop has, not counting those of loops within it. */
function largestLoop(name, text) {
  const start = text.indexOf(`(func $assembly/${name} `);
  if (start < 0) throw new Error(`there is no function ${name}`);
  const lines = text.slice(start, text.indexOf('\n (func ', start)).split('\n');
  const loops = [];
  for (const line of lines) {
    const [indent, instruction] = [line.search(/\S/), line.trim()];
    const innermost = loops.findLast(({ end }) => end === undefined);
    if (instruction.startsWith('loop ')) loops.push({ indent, count: 0, end: undefined });
    else if (innermost !== undefined && indent <= innermost.indent) innermost.end = line;
    else if (innermost !== undefined && INSTRUCTION.test(instruction)) innermost.count++;
  }
  return Math.max(...loops.map(({ count }) => count));
}
