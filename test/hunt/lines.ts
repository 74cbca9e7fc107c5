/** The lines of the tables of bounds as a search sees them: which inputs to try, and how near a result is to its bound. */

import type { BackendName } from '../../src/index.js';
import { setOf, sets, type TestSet } from '../support/backends.js';
import {
  type BackwardOperation,
  type Bound,
  backwardBounds,
  bounds,
  type ElementOperation,
  elementBounds,
  type LossOperation,
  type LossPart,
  lossBounds,
  lossLimit,
  type Operation,
  SMALLEST_NORMAL,
  SUM_BOUND,
} from '../support/bounds.js';
import { DTYPES, type Dtype, type Floats, type Problem } from '../support/cases.js';
import { ratioOf } from '../support/compare.js';
import { elementError } from '../support/elements.js';
import { expectedOf } from '../support/expected.js';
import { type Hunted, LOG_PROBS, nameOf, nameOfPart, SUM } from '../support/hunted.js';
import { errorAt, type LossProblem, lossWithGrad, numbersOf, placed } from '../support/losses.js';
import * as oracle from '../support/oracle.js';
import type { Quarry, Random, Verdict } from './climb.js';
import {
  between,
  between2,
  drawFrame,
  drawOperand,
  drawTargets,
  drawTemperature,
  gradients,
  type Input,
  logits,
  mutateInput,
  type Operand,
  pick,
  shapeOf,
  shares,
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

/** The worst of `count` elements. */
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

const NO_TARGETS: Int32Array = new Int32Array(0);
const NO_OPTIONS = {};

// ---------------------------------------------------------------------------------------------------------------------
// Softmax, log-softmax, log-sum-exp, log-probabilities

function drawLogits(largest: number | undefined): Draw {
  return (random, set, dtype, seconds) => {
    const frame = drawFrame(random, dtype, seconds);
    const temperature = largest === undefined ? drawTemperature(random) : 1;
    const count = frame.rows * frame.n;
    const letter = logits(random, set, dtype, temperature, largest);
    const operands = { x: drawOperand(random, dtype, count, letter, largest) };
    return { dtype, ...frame, temperature, operands, targets: NO_TARGETS, options: NO_OPTIONS };
  };
}

function problemOf(input: Input): Problem {
  return { what: '', dtype: input.dtype, ...shapeOf(input), temperature: input.temperature, x: valuesOf(input, 'x') };
}

function optionsOf(input: Input): { shape: number[]; axis: number; temperature: number } {
  return { ...shapeOf(input), temperature: input.temperature };
}

/** Elements of rows for which another line of the table holds do not count. */
function judgeOperation(operation: Operation, bound: Bound): Judge {
  return ({ kernels, backend }, input) => {
    const { dtype } = input;
    const run = kernels[operation] as (x: Floats, options: object) => Floats;
    const y = run(valuesOf(input, 'x'), optionsOf(input));
    const expected = expectedOf(operation, problemOf(input));
    return worstOf(y.length, (i) => {
      if (bounds[operation][dtype][backend].find(({ holds }) => holds(expected.facts(i))) !== bound) return 0;
      return ratioOf(operation, backend, dtype, y[i] as number, expected, i);
    });
  };
}

function operationLines(operation: Operation): Line[] {
  return forEach((dtype, set) =>
    bounds[operation][dtype][set.backend].map((bound) =>
      lineOf(nameOf(operation, bound), dtype, set, drawLogits(bound.largest), judgeOperation(operation, bound)),
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

const logProbLines = forEach((dtype, set) => {
  const draw: Draw = (random, ...rest) => {
    const input = drawLogits(undefined)(random, ...rest);
    return { ...input, targets: drawTargets(random, input.rows, input.n) };
  };
  const judge: Judge = ({ kernels, backend }, input) => {
    const { rows, n, columns, targets } = input;
    const y = kernels.logProbs(valuesOf(input, 'x'), targets, optionsOf(input));
    const expected = expectedOf('logSoftmax', problemOf(input));
    return worstOf(rows, (row) => {
      const target = targets[row] as number;
      const at = columns ? target * rows + row : row * n + target;
      return ratioOf('logSoftmax', backend, dtype, y[row] as number, expected, at);
    });
  };
  return [lineOf(LOG_PROBS, dtype, set, draw, judge)];
});

// ---------------------------------------------------------------------------------------------------------------------
// Elements

function elementLines(operation: ElementOperation): Line[] {
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
      const y = kernels[operation](x) as Floats;
      const exact = oracle[operation](oracle.precisionOf(dtype), x);
      const bound = elementBounds[operation][dtype][backend];
      return worstOf(COUNT, (i) => elementError(operation, dtype, y[i] as number, exact, i) / bound);
    };
    return [lineOf(operation, dtype, set, draw, judge)];
  });
}

// ---------------------------------------------------------------------------------------------------------------------
// Backward

function backwardLines(operation: BackwardOperation): Line[] {
  const forward = operation === 'softmaxBackward' ? 'softmax' : 'logSoftmax';
  return forEach((dtype, set) => {
    const draw: Draw = (random, ...rest) => {
      const input = drawLogits(pick(random, [2, 8, 30]))(random, ...rest);
      const x = input.operands.x as Operand;
      const values = setOf('reference').kernels[forward](x.values, optionsOf(input)) as Floats;
      const letter = (r: Random) => pick(r, Array.from(values));
      const given = { ...x, values, letter, most: operation === 'softmaxBackward' ? 1 : Infinity };
      const dy = drawOperand(random, dtype, values.length, gradients(random));
      return { ...input, temperature: drawTemperature(random), operands: { given, dy } };
    };
    const judge: Judge = ({ kernels, backend }, input) => {
      const { dtype, n, temperature } = input;
      const { shape, axis } = shapeOf(input);
      const [given, dy] = [valuesOf(input, 'given'), valuesOf(input, 'dy')];
      const dx = kernels[operation](given, dy, optionsOf(input)) as Floats;
      const bound = backwardBounds[operation][dtype][backend];
      const [rows, gradientRows, results] = [given, dy, dx].map((values) => oracle.toRows(values, shape, axis)) as [
        Float64Array,
        Float64Array,
        Float64Array,
      ];
      // An e^logP below the normal numbers may count as 0.
      const unit =
        operation === 'softmaxBackward'
          ? 1
          : Math.max(1, Array.from(dy, Math.abs).reduce((a, b) => a + b, 0) / temperature);
      let worst = NOTHING;
      for (let start = 0; start < rows.length; start += n) {
        const part = (values: Float64Array) => values.subarray(start, start + n);
        const exact = oracle[operation](oracle.precisionOf(dtype), part(rows), part(gradientRows), temperature);
        const { ratio, at } = worstOf(
          n,
          (i) => errorAt(dtype, part(results), exact, exact.scale, i, unit * SMALLEST_NORMAL[dtype]) / bound,
        );
        if (ratio > worst.ratio) worst = { ratio, at: input.columns ? at * input.rows + start / n : start + at };
      }
      return worst;
    };
    return [lineOf(operation, dtype, set, draw, judge)];
  });
}

// ---------------------------------------------------------------------------------------------------------------------
// Losses

/** e^−x of more is below the normal numbers and may count as 0. */
const LEAST: Record<Dtype, number> = { float32: 87, float64: 708 };
const ROWS = [1, 1, 1, 2, 3, 5];

/** The most that an exponential is multiplied by, where that can be more than 1. */
const UNITS: Partial<Record<LossOperation, Record<LossPart, (input: Input) => number>>> = {
  crossEntropy: { loss: ({ n }) => n, grad: ({ n, temperature }) => n * Math.max(1, 1 / temperature) },
  distillation: {
    loss: ({ n, temperature }) => 1000 * n * Math.max(1, temperature ** 2),
    grad: ({ temperature }) => 2 * Math.max(1, temperature),
  },
};

/** The call that an input stands for. */
type CallOf = (input: Input) => LossProblem;

function drawLoss(operation: LossOperation): Draw {
  return (random, set, dtype, seconds) => {
    const frame = drawFrame(random, dtype, seconds, ROWS);
    const count = frame.rows * frame.n;
    const temperature = operation === 'crossEntropy' || operation === 'distillation' ? drawTemperature(random) : 1;
    const operand = (letter: ReturnType<typeof shares>, size = count, most?: number) =>
      drawOperand(random, dtype, size, letter, most);
    const x = operand(
      logits(random, set, dtype, temperature, temperature === 1 ? pick(random, [8, 30, undefined]) : undefined),
    );
    const reduction = pick(random, ['none', 'mean', 'sum']);
    const options: Record<string, unknown> = { reduction };
    const operands: Record<string, Operand> = { x };
    const weigh = (name: string, size: number) => {
      // Above 0: a mean of none is no number.
      const letter = shares(random, 1);
      if (random() < 0.4) operands[name] = operand((r) => Math.max(2 ** -10, letter(r)), size, 1);
    };
    let targets = NO_TARGETS;
    if (operation === 'crossEntropy') {
      options.labelSmoothing = pick(random, [0, 0, 0.1, 0.125, random()]);
      if (random() < 0.5) targets = drawTargets(random, frame.rows, frame.n);
      else operands.targets = operand(shares(random, pick(random, [1, 1 / frame.n])), count, 1);
      weigh('weight', frame.n);
    } else if (operation === 'nllLoss') {
      targets = drawTargets(random, frame.rows, frame.n);
      weigh('weight', frame.n);
    } else if (operation === 'bceWithLogits') {
      operands.targets = operand(shares(random, 1), count, 1);
      weigh('weight', count);
      weigh('posWeight', count);
    } else if (operation === 'klDiv') {
      options.reduction = pick(random, [reduction, 'batchMean']);
      options.logTarget = random() < 0.5;
      operands.targets = options.logTarget
        ? operand((r) => -between2(r, 2 ** -20, LEAST[dtype]), count, LEAST[dtype])
        : operand(shares(random, 1), count, 1);
    } else {
      options.reduction = pick(random, [reduction, 'batchMean']);
      // Rows that are nearly the same cancel.
      const near = pick(random, [0, 1e-6, 0.01]);
      operands.teacher =
        random() < 0.4
          ? { ...x, values: x.values.map((value) => value * (1 + near * (random() - 0.5))) }
          : operand(logits(random, set, dtype, temperature));
    }
    if (random() < 0.3) options.gradOutput = between(random, -1, 1);
    return { dtype, ...frame, temperature, operands, targets, options };
  };
}

const CALLS: Record<LossOperation, CallOf> = {
  crossEntropy: (input) => {
    const { dtype, temperature, targets, n, options } = input;
    const { shape, axis } = shapeOf(input);
    const [x, probabilities] = [valuesOf(input, 'x'), input.operands.targets?.values];
    const all = { ...options, temperature, weight: input.operands.weight?.values };
    const exact = () => {
      const given =
        probabilities === undefined
          ? { indices: targets }
          : { probabilities: oracle.toRows(probabilities, shape, axis) };
      const rows = oracle.toRows(x, shape, axis);
      return placed(oracle.crossEntropy(oracle.precisionOf(dtype), rows, n, given, all), shape, axis);
    };
    return callOf(input, probabilities ?? targets, all, exact);
  },
  nllLoss: (input) => {
    const { dtype, targets, n, options } = input;
    const { shape, axis } = shapeOf(input);
    const all = { ...options, weight: input.operands.weight?.values };
    const exact = () => {
      const rows = oracle.toRows(valuesOf(input, 'x'), shape, axis);
      return placed(oracle.nllLoss(oracle.precisionOf(dtype), rows, n, targets, all), shape, axis);
    };
    return callOf(input, targets, all, exact);
  },
  bceWithLogits: (input) => {
    const { dtype, operands, options } = input;
    const all = { ...options, weight: operands.weight?.values, posWeight: operands.posWeight?.values };
    const targets = valuesOf(input, 'targets');
    const exact = () => oracle.bceWithLogits(oracle.precisionOf(dtype), valuesOf(input, 'x'), targets, all);
    return callOf(input, targets, all, exact);
  },
  klDiv: (input) => {
    const { dtype, options } = input;
    const targets = valuesOf(input, 'targets');
    const all = { ...options, batchSize: shapeOf(input).shape[0] };
    const exact = () => oracle.klDiv(oracle.precisionOf(dtype), valuesOf(input, 'x'), targets, all);
    return callOf(input, targets, options, exact);
  },
  distillation: (input) => {
    const { dtype, temperature, n, options } = input;
    const { shape, axis } = shapeOf(input);
    const all = { ...options, temperature };
    const exact = () => {
      const [student, teacher] = ['x', 'teacher'].map((name) => oracle.toRows(valuesOf(input, name), shape, axis)) as [
        Float64Array,
        Float64Array,
      ];
      const batchSize = shape[0] as number;
      return placed(
        oracle.distillation(oracle.precisionOf(dtype), student, teacher, n, { ...all, batchSize }),
        shape,
        axis,
      );
    };
    return callOf(input, valuesOf(input, 'teacher'), all, exact);
  },
};

function callOf(
  input: Input,
  second: unknown,
  { gradOutput, ...options }: Readonly<Record<string, unknown>>,
  exact: LossProblem['exact'],
): LossProblem {
  const first = valuesOf(input, 'x');
  return {
    what: '',
    dtype: input.dtype,
    ...shapeOf(input),
    first,
    second,
    options: Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)),
    gradOutput: gradOutput as number | undefined,
    exact,
  };
}

function lossLines(operation: LossOperation): Line[] {
  const judge =
    (part: LossPart): Judge =>
    ({ kernels, backend }, input) => {
      const call = CALLS[operation](input);
      const { dtype } = input;
      const result = numbersOf(lossWithGrad(kernels, operation, call)[part]);
      const exact = call.exact()[part];
      const bound = lossLimit(operation, part, dtype, backend, input.options.reduction);
      const unit = UNITS[operation]?.[part](input) ?? 1;
      return worstOf(
        result.length,
        (i) => errorAt(dtype, result, exact, exact.scale, i, unit * SMALLEST_NORMAL[dtype]) / bound,
      );
    };
  return forEach((dtype, set) =>
    (['loss', 'grad'] as const).map((part) =>
      lineOf(nameOfPart(operation, part), dtype, set, drawLoss(operation), judge(part)),
    ),
  );
}

function keysOf<K extends string>(table: Readonly<Record<K, unknown>>): K[] {
  return Object.keys(table) as K[];
}

/** Every line of every table, for every backend that runs here. */
export const lines: readonly Line[] = [
  ...keysOf(bounds).flatMap(operationLines),
  ...sumLines,
  ...logProbLines,
  ...keysOf(elementBounds).flatMap(elementLines),
  ...keysOf(lossBounds).flatMap(lossLines),
  ...keysOf(backwardBounds).flatMap(backwardLines),
];
