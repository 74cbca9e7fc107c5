import { describe, expectTypeOf, test } from 'vitest';
import {
  type AccuracyOptions,
  type AccuracyStateOptions,
  type ArgmaxOptions,
  accuracy,
  accuracyState,
  argmax,
  type BceWithLogitsOptions,
  type BceWithLogitsWithGradOptions,
  bceWithLogits,
  bceWithLogitsWithGrad,
  type Calibration,
  type CalibrationOptions,
  type CalibrationStateOptions,
  type CrossEntropyChunkOptions,
  type CrossEntropyGradientOptions,
  type CrossEntropyOptions,
  type CrossEntropyStateOptions,
  type CrossEntropyWithGradOptions,
  calibrationError,
  calibrationState,
  crossEntropy,
  crossEntropyState,
  crossEntropyWithGrad,
  type DistillationOptions,
  type DistillationWithGradOptions,
  distillation,
  distillationWithGrad,
  type EntropyOptions,
  entropy,
  type FitTemperatureOptions,
  type FloatArray,
  fitTemperature,
  type HalfBits,
  type InspectLogitsOptions,
  type InspectTargetsOptions,
  inspectLogits,
  inspectTargets,
  type KlDivOptions,
  type KlDivWithGradOptions,
  klDiv,
  klDivWithGrad,
  type LogitsReport,
  type LogProbsOptions,
  type LogSumExpChunkOptions,
  type LogSumExpOptions,
  type LogSumExpStateOptions,
  logProbs,
  logSoftmax,
  logSumExp,
  logSumExpState,
  type NllLossOptions,
  type NllLossWithGradOptions,
  type NllStateOptions,
  nllLoss,
  nllLossWithGrad,
  nllState,
  type PenalizeOptions,
  type PerplexityOptions,
  penalize,
  perplexity,
  perplexityState,
  type ReliabilityDiagramOptions,
  reliabilityDiagram,
  type SampleOptions,
  type SigmoidOptions,
  type SoftmaxBackwardOptions,
  type SoftmaxOptions,
  sample,
  sigmoid,
  softmax,
  softmaxBackward,
  type TargetsReport,
  type TemperatureFit,
  type Tensor,
  type TensorOptions,
  type TensorResult,
  type TopKOptions,
  type TopKOut,
  tensor,
  topK,
} from '../src/index.js';

declare const f32: Float32Array;
declare const f64: Float64Array;
declare const t: Tensor;
declare const like: { data: Float32Array; shape: number[] };
declare const isNone: boolean;

/** Anything that a number for each row may be in, and as many elements as x. */
type Rows<A> = FloatArray | Tensor | A;
type Elements<A> = Rows<A> | HalfBits;

describe('options of a declared type give every result that they may ask for', () => {
  test('as many elements as x', () => {
    const check = (wide: SoftmaxOptions, maybe?: SoftmaxOptions) => {
      expectTypeOf(softmax(f32, wide)).toEqualTypeOf<Elements<Float32Array>>();
      expectTypeOf(logSoftmax(t, maybe)).toEqualTypeOf<Elements<Tensor>>();
      expectTypeOf(softmax(like, maybe)).toEqualTypeOf<Elements<TensorResult<Float32Array>>>();
    };
    const others = (wide: SigmoidOptions, backward: SoftmaxBackwardOptions) => {
      expectTypeOf(sigmoid(f64, wide)).toEqualTypeOf<Elements<Float64Array>>();
      expectTypeOf(softmaxBackward(like, f32, backward)).toEqualTypeOf<Elements<TensorResult<Float32Array>>>();
    };
    expectTypeOf([check, others]).toBeArray();
  });

  test('a number for a row', () => {
    const check = (wide: LogSumExpOptions, others: EntropyOptions, maybe?: LogProbsOptions) => {
      expectTypeOf(logSumExp(f32, wide)).toEqualTypeOf<number | Rows<Float32Array>>();
      expectTypeOf(logSumExp(t, wide)).toEqualTypeOf<Rows<Tensor>>();
      expectTypeOf(entropy(f64, others)).toEqualTypeOf<number | Rows<Float64Array>>();
      expectTypeOf(logProbs(f32, 1, maybe)).toExtend<number | Rows<Float32Array>>();
      expectTypeOf<number>().toExtend<ReturnType<typeof logProbs<Float32Array, LogProbsOptions>>>();
    };
    expectTypeOf(check).toBeFunction();
  });

  test('indices, and values with indices', () => {
    const check = (wide: ArgmaxOptions, both: TopKOptions) => {
      expectTypeOf(argmax(f32, wide)).toEqualTypeOf<number | Int32Array>();
      expectTypeOf(argmax(t, wide)).toEqualTypeOf<Int32Array | TensorResult<Int32Array>>();
      expectTypeOf(topK(f32, 1, both)).toEqualTypeOf<TopKOut | { values: Float32Array; indices: Int32Array }>();
    };
    expectTypeOf(check).toBeFunction();
  });

  test('losses', () => {
    const check = (classes: CrossEntropyOptions, logs: NllLossOptions, teacher: DistillationOptions) => {
      expectTypeOf(crossEntropy(f32, 1, classes)).toEqualTypeOf<number | Rows<Float32Array>>();
      expectTypeOf(nllLoss(t, [1], logs)).toEqualTypeOf<number | Rows<Tensor>>();
      expectTypeOf(distillation(like, like, teacher)).toEqualTypeOf<number | Rows<TensorResult<Float32Array>>>();
    };
    const elements = (binary: BceWithLogitsOptions, divergence: KlDivOptions) => {
      expectTypeOf(bceWithLogits(f32, f32, binary)).toEqualTypeOf<number | Elements<Float32Array>>();
      expectTypeOf(klDiv(f64, f64, divergence)).toEqualTypeOf<number | Elements<Float64Array>>();
    };
    expectTypeOf([check, elements]).toBeArray();
  });

  test('losses with gradients', () => {
    interface Both<Loss, Grad> {
      loss: number | Loss;
      grad: Elements<Grad>;
    }
    const check = (
      classes: CrossEntropyWithGradOptions,
      logs: NllLossWithGradOptions,
      teacher: DistillationWithGradOptions,
    ) => {
      expectTypeOf(crossEntropyWithGrad(f32, 1, classes)).toEqualTypeOf<Both<Float32Array, Float32Array>>();
      expectTypeOf(nllLossWithGrad(t, [1], logs)).toEqualTypeOf<Both<Tensor, Tensor>>();
      expectTypeOf(distillationWithGrad(f64, f64, teacher)).toEqualTypeOf<Both<Float64Array, Float64Array>>();
    };
    const elements = (binary: BceWithLogitsWithGradOptions, divergence: KlDivWithGradOptions) => {
      expectTypeOf(bceWithLogitsWithGrad(f32, f32, binary)).toEqualTypeOf<Both<Float32Array, Float32Array>>();
      expectTypeOf(klDivWithGrad(t, t, divergence)).toEqualTypeOf<Both<Tensor, Tensor>>();
    };
    expectTypeOf([check, elements]).toBeArray();
  });

  test('samplers', () => {
    const check = (draw: SampleOptions, sparse: PenalizeOptions, maybe?: SampleOptions) => {
      expectTypeOf(sample(f32, draw)).toEqualTypeOf<number | Int32Array>();
      expectTypeOf(sample(t, maybe)).toEqualTypeOf<Int32Array | TensorResult<Int32Array>>();
      expectTypeOf(penalize(f64, [1], sparse)).toEqualTypeOf<Elements<Float64Array>>();
      expectTypeOf(penalize(t, [[1]], isNone ? sparse : undefined)).toEqualTypeOf<Elements<Tensor>>();
    };
    expectTypeOf(check).toBeFunction();
  });

  test('states', () => {
    const sums = (wide: LogSumExpStateOptions, chunk?: LogSumExpChunkOptions) => {
      const state = logSumExpState(wide);
      expectTypeOf(state.add(f32, chunk)).toEqualTypeOf(state);
      expectTypeOf(state.value).toEqualTypeOf<number | Float64Array>();
      expectTypeOf(logSumExpState(isNone ? { rows: 2 } : undefined).value).toEqualTypeOf<number | Float64Array>();
    };
    const losses = (
      wide: CrossEntropyStateOptions,
      chunk: CrossEntropyChunkOptions,
      slope: CrossEntropyGradientOptions,
      rows?: number,
    ) => {
      const state = crossEntropyState(wide);
      expectTypeOf(state.add(f32, chunk)).toEqualTypeOf(state);
      expectTypeOf(state.value).toEqualTypeOf<number | Float64Array>();
      expectTypeOf(state.gradient(f32, slope)).toEqualTypeOf<Elements<Float32Array>>();
      expectTypeOf(crossEntropyState({ rows, reduction: 'mean' }).value).toEqualTypeOf<number>();
      expectTypeOf(crossEntropyState({ rows, reduction: 'none' }).value).toEqualTypeOf<number | Float64Array>();
    };
    expectTypeOf([sums, losses]).toBeArray();
  });

  test('where options decide nothing', () => {
    const check = (look: InspectLogitsOptions, lookAt: InspectTargetsOptions, make: TensorOptions) => {
      expectTypeOf(inspectLogits(f32, look)).toEqualTypeOf<LogitsReport>();
      expectTypeOf(inspectTargets(t, lookAt)).toEqualTypeOf<TargetsReport>();
      expectTypeOf(tensor([1], [1], make)).toEqualTypeOf<Tensor>();
    };
    const evaluations = (
      top: AccuracyOptions,
      loss: PerplexityOptions,
      fit: FitTemperatureOptions,
      bins: CalibrationOptions,
      picture?: ReliabilityDiagramOptions,
    ) => {
      expectTypeOf(accuracy(f32, 1, top)).toEqualTypeOf<number>();
      expectTypeOf(perplexity(t, [1], isNone ? loss : {})).toEqualTypeOf<number>();
      expectTypeOf(fitTemperature(f64, [1], fit)).toEqualTypeOf<TemperatureFit>();
      expectTypeOf(calibrationError(like, [1], bins)).toEqualTypeOf<Calibration>();
      expectTypeOf(reliabilityDiagram(calibrationError(f32, [1]), picture)).toEqualTypeOf<string>();
    };
    const states = (top?: AccuracyStateOptions, loss?: NllStateOptions, bins?: CalibrationStateOptions) => {
      expectTypeOf(accuracyState(top).value).toEqualTypeOf<number>();
      expectTypeOf(nllState(loss).value).toEqualTypeOf<number>();
      expectTypeOf(perplexityState(loss).value).toEqualTypeOf<number>();
      expectTypeOf(calibrationState(bins).value).toEqualTypeOf<Calibration>();
    };
    expectTypeOf([check, evaluations, states]).toBeArray();
  });
});

describe('options that may be absent', () => {
  test('one of them', () => {
    const check = (shape?: number[], out?: Float32Array, reduction?: 'mean' | 'none') => {
      expectTypeOf(logSumExp(f64, { shape })).toEqualTypeOf<number | Float64Array>();
      expectTypeOf(argmax(f64, { shape })).toEqualTypeOf<number | Int32Array>();
      expectTypeOf(softmax(t, { out })).toEqualTypeOf<Tensor | Float32Array>();
      expectTypeOf(crossEntropy(f32, 1, { reduction })).toEqualTypeOf<number>();
      expectTypeOf(crossEntropy(t, 1, { reduction })).toEqualTypeOf<number | Tensor>();
      expectTypeOf(klDivWithGrad(t, t, { reduction, out })).toEqualTypeOf<{
        loss: number | Tensor;
        grad: Tensor | Float32Array;
      }>();
    };
    expectTypeOf(check).toBeFunction();
  });

  test('all of them', () => {
    const check = (shaped?: { shape: number[] }, none?: { reduction: 'none' }, out?: { out: Float32Array }) => {
      expectTypeOf(logSumExp(f32, shaped)).toEqualTypeOf<number | Float32Array>();
      expectTypeOf(crossEntropy(t, 1, none)).toEqualTypeOf<number | Tensor>();
      expectTypeOf(softmax(t, out)).toEqualTypeOf<Tensor | Float32Array>();
      expectTypeOf(softmax(t, isNone ? { out: f32 } : undefined)).toEqualTypeOf<Tensor | Float32Array>();
    };
    expectTypeOf(check).toBeFunction();
    expectTypeOf(logSumExp(f32, undefined)).toEqualTypeOf<number>();
    expectTypeOf(logSumExp(f32, {})).toEqualTypeOf<number>();
  });

  test('unions', () => {
    const union = isNone ? ({ reduction: 'none', shape: [1, 2] } as const) : ({ reduction: 'sum' } as const);
    expectTypeOf(crossEntropy(f64, [1], union)).toEqualTypeOf<number | Float64Array>();
    const reduction = isNone ? 'none' : 'mean';
    expectTypeOf(bceWithLogits(f32, [1], { reduction })).toEqualTypeOf<number | Float32Array>();
    expectTypeOf(crossEntropy(f32, [1], { reduction, shape: [1, 2] })).toEqualTypeOf<number | Float32Array>();
  });

  test('every option takes undefined', () => {
    type Optional<O> = { [name in keyof O]-?: undefined };
    expectTypeOf<Optional<SoftmaxOptions>>().toExtend<SoftmaxOptions>();
    expectTypeOf<Optional<LogSumExpOptions>>().toExtend<LogSumExpOptions>();
    expectTypeOf<Optional<CrossEntropyWithGradOptions>>().toExtend<CrossEntropyWithGradOptions>();
    expectTypeOf<Optional<BceWithLogitsWithGradOptions>>().toExtend<BceWithLogitsWithGradOptions>();
    expectTypeOf<Optional<AccuracyOptions & AccuracyStateOptions>>().toExtend<AccuracyOptions & AccuracyStateOptions>();
    expectTypeOf<Optional<ArgmaxOptions>>().toExtend<ArgmaxOptions>();
    expectTypeOf<Optional<CalibrationOptions>>().toExtend<CalibrationOptions>();
    expectTypeOf<Optional<CrossEntropyStateOptions>>().toExtend<CrossEntropyStateOptions>();
    expectTypeOf<Optional<Omit<CrossEntropyChunkOptions, 'targets' | 'offset'>>>().toExtend<
      Partial<CrossEntropyChunkOptions>
    >();
    expectTypeOf<Optional<Omit<CrossEntropyGradientOptions, 'offset'>>>().toExtend<
      Partial<CrossEntropyGradientOptions>
    >();
    expectTypeOf<Optional<DistillationWithGradOptions>>().toExtend<DistillationWithGradOptions>();
    expectTypeOf<Optional<EntropyOptions>>().toExtend<EntropyOptions>();
    expectTypeOf<Optional<FitTemperatureOptions>>().toExtend<FitTemperatureOptions>();
    expectTypeOf<Optional<InspectLogitsOptions & InspectTargetsOptions>>().toExtend<InspectTargetsOptions>();
    expectTypeOf<Optional<KlDivWithGradOptions>>().toExtend<KlDivWithGradOptions>();
    expectTypeOf<Optional<LogProbsOptions>>().toExtend<LogProbsOptions>();
    expectTypeOf<Optional<LogSumExpStateOptions>>().toExtend<LogSumExpStateOptions>();
    expectTypeOf<Optional<LogSumExpChunkOptions>>().toExtend<LogSumExpChunkOptions>();
    expectTypeOf<Optional<NllLossWithGradOptions>>().toExtend<NllLossWithGradOptions>();
    expectTypeOf<Optional<PenalizeOptions>>().toExtend<PenalizeOptions>();
    expectTypeOf<Optional<PerplexityOptions>>().toExtend<PerplexityOptions>();
    expectTypeOf<Optional<ReliabilityDiagramOptions>>().toExtend<ReliabilityDiagramOptions>();
    expectTypeOf<Optional<SampleOptions>>().toExtend<SampleOptions>();
    expectTypeOf<Optional<SigmoidOptions>>().toExtend<SigmoidOptions>();
    expectTypeOf<Optional<SoftmaxBackwardOptions>>().toExtend<SoftmaxBackwardOptions>();
    expectTypeOf<Optional<TensorOptions>>().toExtend<TensorOptions>();
    expectTypeOf<Optional<TopKOptions>>().toExtend<TopKOptions>();
  });
});
