import { describe, expectTypeOf, test } from 'vitest';
import {
  type AccuracyOptions,
  type ArgmaxOptions,
  accuracy,
  argmax,
  type BceWithLogitsOptions,
  type BceWithLogitsWithGradOptions,
  bceWithLogits,
  bceWithLogitsWithGrad,
  type CrossEntropyOptions,
  type CrossEntropyWithGradOptions,
  crossEntropy,
  crossEntropyWithGrad,
  type DistillationOptions,
  type DistillationWithGradOptions,
  distillation,
  distillationWithGrad,
  type EntropyOptions,
  entropy,
  type FloatArray,
  type InspectLogitsOptions,
  inspectLogits,
  type KlDivOptions,
  type KlDivWithGradOptions,
  klDiv,
  klDivWithGrad,
  type LogProbsOptions,
  type LogSumExpOptions,
  logProbs,
  logSoftmax,
  logSumExp,
  type NllLossOptions,
  type NllLossWithGradOptions,
  nllLoss,
  nllLossWithGrad,
  type SigmoidOptions,
  type SoftmaxBackwardOptions,
  type SoftmaxOptions,
  sigmoid,
  softmax,
  softmaxBackward,
  type Tensor,
  type TensorOptions,
  type TensorResult,
  type TopKOptions,
  type TopKOut,
  tensor,
  topK,
} from '../src/index.js';
import type { HalfBits } from '../src/types.js';

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

  test('where options decide nothing', () => {
    const check = (top: AccuracyOptions, look: InspectLogitsOptions, make: TensorOptions) => {
      expectTypeOf(accuracy(f32, 1, top)).toEqualTypeOf<number>();
      expectTypeOf(inspectLogits(f32, look).rows).toEqualTypeOf<number>();
      expectTypeOf(tensor([1], [1], make)).toEqualTypeOf<Tensor>();
    };
    expectTypeOf(check).toBeFunction();
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
  });
});
