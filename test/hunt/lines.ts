/** The lines of the tables of bounds, for a search: which inputs to try, and how close a result is to its bound. */

import type { BackendName, Kernels } from '../../src/index.js';
import { crossEntropy } from '../operations/crossEntropy.js';
import { alongAxis, backward, elementwise, losses } from '../operations/index.js';
import { logSoftmax } from '../operations/logSoftmax.js';
import type { AlongAxis } from '../support/alongAxis.js';
import { setOf, sets, type TestSet } from '../support/backends.js';
import type { Backward } from '../support/backward.js';
import { type Bound, type LossPart, SMALLEST_NORMAL, SUM_BOUND } from '../support/bounds.js';
import { DTYPES, type Dtype, type Floats, newFloats, type Problem } from '../support/cases.js';
import { ratioOf } from '../support/compare.js';
import { type Elementwise, elementError, runOf } from '../support/elementwise.js';
import { expectedOf } from '../support/expected.js';
import { DRAWN_LOG_PROBS, type Hunted, LOG_PROBS, NLL, nameOf, nameOfPart, SUM } from '../support/hunted.js';
import {
  errorAt,
  exactOf,
  type LossOperation,
  type LossProblem,
  leastOf,
  lossLimit,
  lossWithGrad,
  numbersOf,
} from '../support/losses.js';
import { runBy, takes } from '../support/operation.js';
import * as oracle from '../support/oracle.js';
import type { Quarry, Random, Verdict } from './climb.js';
import {
  between,
  drawFrame,
  drawOperand,
  drawTargets,
  drawTemperature,
  gradients,
  type Input,
  logits,
  mutateInput,
  type Operand,
  ofOneSign,
  pick,
  shapeOf,
  valuesOf,
} from './inputs.js';

/** A line of a table, for one of the backends. */
export interface Line extends Hunted {
  readonly dtype: Dtype;
  readonly backend: BackendName;
  /** How to search it; `seconds` is how long that may take. */
  readonly quarry: (seconds: number) => Quarry<Input>;
}

type Draw = (random: Random, set: TestSet, dtype: Dtype, seconds: number) => Input;
type Judge = (set: TestSet, input: Input) => Verdict;

const NOTHING: Verdict = { ratio: 0, at: 0 };

function lineOf(what: string, dtype: Dtype, set: TestSet, draw: Draw, judge: Judge): Line {
  const quarry = (seconds: number): Quarry<Input> => ({
    draw: (random) => draw(random, set, dtype, seconds),
    mutate: mutateInput,
    judge: (input) => judge(set, input),
    patience: ({ rows, n }) => Math.max(20, Math.min(300, Math.floor(30_000 / (rows * n)))),
  });
  return { what, dtype, backend: set.backend, quarry };
}

/** The element with the largest error, of `count`. */
function worstOf(count: number, ratioAt: (i: number) => number): Verdict {
  let worst = NOTHING;
  for (let i = 0; i < count; i++) {
    const ratio = ratioAt(i);
    if (Number.isNaN(ratio)) return { ratio: Infinity, at: i };
    if (ratio > worst.ratio) worst = { ratio, at: i };
  }
  return worst;
}

/** The debug build computes what simd128 does. */
const searched = sets.filter(({ name }) => name !== 'debug');

function forEach(makeLines: (dtype: Dtype, set: TestSet) => Line[]): Line[] {
  return DTYPES.flatMap((dtype) => searched.flatMap((set) => makeLines(dtype, set)));
}

/** Numbers of rows for results that are reduced over rows. */
const ROWS = [1, 1, 1, 2, 3, 5];
const NO_TARGETS: Int32Array = new Int32Array(0);
const NO_OPTIONS = {};

// ---------------------------------------------------------------------------------------------------------------------
// Softmax, log-softmax, log-sum-exp, log-probabilities

function drawLogits(largest: number | undefined, isWarm = true, rows?: readonly number[]): Draw {
  return (random, set, dtype, seconds) => {
    const frame = drawFrame(random, dtype, seconds, rows);
    const temperature = largest === undefined && isWarm ? drawTemperature(random) : 1;
    const count = frame.rows * frame.n;
    const letter = logits(random, set, dtype, temperature, largest);
    const operands = { x: drawOperand(random, dtype, count, letter, largest) };
    return { dtype, ...frame, temperature, operands, targets: NO_TARGETS, options: NO_OPTIONS };
  };
}

function problemOf(input: Input): Problem {
  return { what: '', dtype: input.dtype, ...shapeOf(input), temperature: input.temperature, x: valuesOf(input, 'x') };
}

function optionsOf(input: Input): { shape: number[]; axis: number; temperature?: number } {
  return { ...shapeOf(input), ...(input.temperature !== 1 && { temperature: input.temperature }) };
}

/** Elements of rows to which another line of the table applies do not count. */
function judgeOperation(operation: AlongAxis, bound: Bound): Judge {
  return ({ kernels, backend }, input) => {
    const { dtype } = input;
    const y = runBy(kernels, operation.name, valuesOf(input, 'x'), optionsOf(input)) as Floats;
    const expected = expectedOf(operation, problemOf(input));
    return worstOf(y.length, (i) => {
      if (operation.bounds[dtype][backend].find(({ holds }) => holds(expected.facts(i))) !== bound) return 0;
      return ratioOf(operation, backend, dtype, y[i] as number, expected, i);
    });
  };
}

function operationLines(operation: AlongAxis): Line[] {
  const isWarm = takes(operation, 'temperature');
  return forEach((dtype, set) =>
    operation.bounds[dtype][set.backend].map((bound) =>
      lineOf(nameOf(operation, bound), dtype, set, drawLogits(bound.largest, isWarm), judgeOperation(operation, bound)),
    ),
  );
}

const sumLines = forEach((dtype, set) => {
  if (dtype === 'float64') return [];
  const judge: Judge = ({ kernels }, input) => {
    const { rows, n, columns } = input;
    const y = kernels.softmax(valuesOf(input, 'x'), optionsOf(input));
    return worstOf(rows, (row) => {
      let sum = -1;
      for (let i = 0; i < n; i++) sum += y[columns ? i * rows + row : row * n + i] as number;
      return Math.abs(sum) / SUM_BOUND;
    });
  };
  const draw: Draw = (random, ...rest) => drawLogits(pick(random, [8, undefined]))(random, ...rest);
  return [lineOf(SUM, dtype, set, draw, judge)];
});

function drawWithTargets(rows?: readonly number[]): Draw {
  const draw = drawLogits(undefined, true, rows);
  return (random, ...rest) => {
    const input = draw(random, ...rest);
    return { ...input, targets: drawTargets(random, input.rows, input.n) };
  };
}

/** Log-probabilities of classes, one of each row. */
interface Chosen {
  readonly classes: Int32Array;
  readonly logProbs: Floats;
}

/** Compares each with the corresponding element of log-softmax, at the input's temperature or another one. */
function logProbLines(
  what: string,
  choose: (kernels: Kernels, input: Input) => Chosen,
  temperatureOf: (input: Input) => number,
): Line[] {
  return forEach((dtype, set) => {
    const judge: Judge = ({ kernels, backend }, input) => {
      const { rows, n, columns } = input;
      const { classes, logProbs } = choose(kernels, input);
      const expected = expectedOf(logSoftmax, problemOf({ ...input, temperature: temperatureOf(input) }));
      return worstOf(rows, (row) => {
        const own = classes[row] as number;
        const at = columns ? own * rows + row : row * n + own;
        return ratioOf(logSoftmax, backend, dtype, logProbs[row] as number, expected, at);
      });
    };
    return [lineOf(what, dtype, set, drawWithTargets(), judge)];
  });
}

function ofTargets(kernels: Kernels, input: Input): Chosen {
  const { targets } = input;
  return { classes: targets, logProbs: kernels.logProbs(valuesOf(input, 'x'), targets, optionsOf(input)) as Floats };
}

/** The targets are where the draws are made: as far into the distribution as the class is into the row. */
function ofDraws(kernels: Kernels, input: Input): Chosen {
  const { dtype, rows, n, targets } = input;
  const [classes, logProbs] = [new Int32Array(rows), newFloats(dtype, rows)];
  let row = 0;
  const random = () => ((targets[row++] as number) + 0.5) / n;
  kernels.sample(valuesOf(input, 'x'), { ...optionsOf(input), random, logProbs, out: classes });
  return { classes, logProbs };
}

/** The mean loss of a calibration, which is crossEntropy's. */
const nllLines = forEach((dtype, set) => {
  const judge: Judge = ({ kernels, backend }, input) => {
    const p = lossProblem(crossEntropy, { ...input, options: { reduction: 'mean' } });
    const { nll } = kernels.calibrationError(p.first, input.targets, optionsOf(input));
    const { loss } = exactOf(crossEntropy, p);
    const bound = lossLimit(crossEntropy, 'loss', dtype, backend, 'mean');
    return worstOf(1, () => errorAt(dtype, [nll], loss, loss.scale, 0, leastOf(crossEntropy, p).loss) / bound);
  };
  return [lineOf(NLL, dtype, set, drawWithTargets(ROWS), judge)];
});

// ---------------------------------------------------------------------------------------------------------------------
// Elements

function elementLines(operation: Elementwise): Line[] {
  const COUNT = 64;
  return forEach((dtype, set) => {
    const draw: Draw = (random) => {
      const most = pick(random, [1e-3, 1, 20, dtype === 'float32' ? 110 : 760]);
      const x = drawOperand(random, dtype, COUNT, (r) => between(r, -most, most));
      const frame = { rows: 1, n: COUNT, columns: false };
      return { dtype, ...frame, temperature: 1, operands: { x }, targets: NO_TARGETS, options: NO_OPTIONS };
    };
    const judge: Judge = ({ kernels, backend }, input) => {
      const x = valuesOf(input, 'x');
      const y = runOf(kernels, operation)(x);
      const exact = operation.exact(oracle.precisionOf(dtype), x);
      const bound = operation.units[dtype][backend];
      return worstOf(COUNT, (i) => elementError(operation, dtype, y[i] as number, exact, i) / bound);
    };
    return [lineOf(operation.name, dtype, set, draw, judge)];
  });
}

// ---------------------------------------------------------------------------------------------------------------------
// Backward

function backwardLines(operation: Backward): Line[] {
  const { forward } = operation;
  return forEach((dtype, set) => {
    const draw: Draw = (random, ...rest) => {
      const input = drawLogits(pick(random, [2, 8, 30]))(random, ...rest);
      const x = input.operands.x as Operand;
      const values = setOf('reference').kernels[forward](x.values, optionsOf(input)) as Floats;
      const letter = (r: Random) => pick(r, Array.from(values));
      const given = { ...x, values, letter, most: forward === 'softmax' ? 1 : Infinity };
      const dy = drawOperand(random, dtype, values.length, gradients(random, dtype));
      return { ...input, temperature: drawTemperature(random), operands: { given, dy } };
    };
    const judge: Judge = ({ kernels, backend }, input) => {
      const { dtype, n, temperature } = input;
      const { shape, axis } = shapeOf(input);
      const [given, dy] = [valuesOf(input, 'given'), valuesOf(input, 'dy')];
      const dx = runBy(kernels, operation.name, given, dy, optionsOf(input)) as Floats;
      const bound = operation.units[dtype][backend];
      const [rows, gradientRows, results] = [given, dy, dx].map((values) => oracle.toRows(values, shape, axis)) as [
        Float64Array,
        Float64Array,
        Float64Array,
      ];
      // An e^logP below the normal numbers may count as 0.
      const unit =
        forward === 'softmax' ? 1 : Math.max(1, Array.from(dy, Math.abs).reduce((a, b) => a + b, 0) / temperature);
      let worst = NOTHING;
      for (let start = 0; start < rows.length; start += n) {
        const part = (values: Float64Array) => values.subarray(start, start + n);
        const exact = operation.exact(oracle.precisionOf(dtype), part(rows), part(gradientRows), temperature);
        const { ratio, at } = worstOf(
          n,
          (i) => errorAt(dtype, part(results), exact, exact.scale, i, unit * SMALLEST_NORMAL[dtype]) / bound,
        );
        if (ratio > worst.ratio) worst = { ratio, at: input.columns ? at * input.rows + start / n : start + at };
      }
      return worst;
    };
    return [lineOf(operation.name, dtype, set, draw, judge)];
  });
}

// ---------------------------------------------------------------------------------------------------------------------
// Losses

function drawLoss(operation: LossOperation): Draw {
  return (random, set, dtype, seconds) => {
    const frame = drawFrame(random, dtype, seconds, ROWS);
    const temperature = takes(operation, 'temperature') ? drawTemperature(random) : 1;
    const operand = (letter: (random: Random) => number, size: number, most?: number) =>
      drawOperand(random, dtype, size, letter, most);
    const range = temperature === 1 ? pick(random, [8, 30, undefined]) : undefined;
    const x = operand(logits(random, set, dtype, temperature, range), frame.rows * frame.n);
    const weigh = (name: string, size: number): Record<string, Operand> => {
      // At least one row counts, because a mean of none is NaN.
      const letter = ofOneSign(random, dtype, 1);
      return random() < 0.4 ? { [name]: operand((r) => Math.max(2 ** -10, letter(r)), size, 1) } : {};
    };
    const drafted = operation.draft({
      ...{ random, set, dtype, ...frame, temperature, x, operand, weigh },
      pick: (values) => pick(random, values),
      indices: () => drawTargets(random, frame.rows, frame.n),
    });
    const options: Record<string, unknown> = { reduction: pick(random, operation.reductions), ...drafted.options };
    if (random() < 0.3) options.gradOutput = between(random, -1, 1);
    const operands = { x, ...drafted.operands };
    const { targets = NO_TARGETS, least } = drafted;
    return { dtype, ...frame, temperature, operands, targets, options, least };
  };
}

/** The call that an input stands for. */
function lossProblem(operation: LossOperation, input: Input): LossProblem {
  const [, second] = operation.arguments as readonly [string, string];
  const { x, [second]: dense, ...others } = input.operands;
  const { gradOutput, ...options } = input.options;
  const arrays = Object.entries(others).map(([name, { values }]) => [name, values]);
  return {
    what: '',
    dtype: input.dtype,
    ...shapeOf(input),
    first: valuesOf(input, 'x'),
    second: dense?.values ?? input.targets,
    options: {
      ...options,
      ...(takes(operation, 'temperature') && { temperature: input.temperature }),
      ...Object.fromEntries(arrays),
    },
    gradOutput: gradOutput as number | undefined,
  };
}

function lossLines(operation: LossOperation): Line[] {
  const judge =
    (part: LossPart): Judge =>
    ({ kernels, backend }, input) => {
      const p = lossProblem(operation, input);
      const { dtype } = input;
      const result = numbersOf(lossWithGrad(kernels, operation, p)[part]);
      const exact = exactOf(operation, p)[part];
      const bound = lossLimit(operation, part, dtype, backend, input.options.reduction);
      const least =
        input.least === undefined ? leastOf(operation, p)[part] : input.least[part] * SMALLEST_NORMAL[dtype];
      return worstOf(result.length, (i) => errorAt(dtype, result, exact, exact.scale, i, least) / bound);
    };
  return forEach((dtype, set) =>
    (['loss', 'grad'] as const).map((part) =>
      lineOf(nameOfPart(operation, part), dtype, set, drawLoss(operation), judge(part)),
    ),
  );
}

/** Every line of every table, for every backend that runs here. */
export const lines: readonly Line[] = [
  ...alongAxis.flatMap(operationLines),
  ...sumLines,
  ...logProbLines(LOG_PROBS, ofTargets, ({ temperature }) => temperature),
  ...logProbLines(DRAWN_LOG_PROBS, ofDraws, () => 1),
  ...nllLines,
  ...elementwise.flatMap(elementLines),
  ...losses.flatMap(lossLines),
  ...backward.flatMap(backwardLines),
];
