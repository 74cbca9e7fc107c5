/** The records of all operations, which the suites go over. A public operation that is missing here is a type error. */

import type { AlongAxis } from '../support/alongAxis.js';
import type { Backward } from '../support/backward.js';
import type { Elementwise } from '../support/elementwise.js';
import type { LossOperation, LossWithGrad } from '../support/losses.js';
import type { Operation, OperationName } from '../support/operation.js';
import type { Ranking } from '../support/ranking.js';
import { accuracy } from './accuracy.js';
import { argmax } from './argmax.js';
import { bceWithLogits, bceWithLogitsWithGrad } from './bceWithLogits.js';
import { calibrationError } from './calibrationError.js';
import { crossEntropy, crossEntropyWithGrad } from './crossEntropy.js';
import { distillation, distillationWithGrad } from './distillation.js';
import { entropy } from './entropy.js';
import { fitTemperature } from './fitTemperature.js';
import { inspectLogits } from './inspectLogits.js';
import { inspectTargets } from './inspectTargets.js';
import { klDiv, klDivWithGrad } from './klDiv.js';
import { logProbs } from './logProbs.js';
import { logSigmoid } from './logSigmoid.js';
import { logSoftmax } from './logSoftmax.js';
import { logSoftmaxBackward } from './logSoftmaxBackward.js';
import { logSumExp } from './logSumExp.js';
import { nllLoss, nllLossWithGrad } from './nllLoss.js';
import { penalize } from './penalize.js';
import { perplexity } from './perplexity.js';
import { sample } from './sample.js';
import { sigmoid } from './sigmoid.js';
import { softmax } from './softmax.js';
import { softmaxBackward } from './softmaxBackward.js';
import { topK } from './topK.js';

type AnyOperation =
  | AlongAxis
  | Elementwise
  | Backward
  | LossOperation
  | LossWithGrad
  | Ranking
  | (Operation & { readonly kind: 'at targets' | 'report' | 'draws' | 'sparse' });

const records = {
  softmax,
  logSoftmax,
  logSumExp,
  entropy,
  sigmoid,
  logSigmoid,
  softmaxBackward,
  logSoftmaxBackward,
  crossEntropy,
  crossEntropyWithGrad,
  nllLoss,
  nllLossWithGrad,
  bceWithLogits,
  bceWithLogitsWithGrad,
  klDiv,
  klDivWithGrad,
  distillation,
  distillationWithGrad,
  argmax,
  topK,
  accuracy,
  logProbs,
  sample,
  penalize,
  inspectLogits,
  inspectTargets,
  perplexity,
  calibrationError,
  fitTemperature,
} satisfies Record<OperationName, AnyOperation>;

export const operations: readonly AnyOperation[] = Object.values(records);

function ofKind<K extends AnyOperation['kind']>(kind: K): Extract<AnyOperation, { readonly kind: K }>[] {
  return operations.filter((operation): operation is Extract<AnyOperation, { readonly kind: K }> => {
    return operation.kind === kind;
  });
}

export const alongAxis: readonly AlongAxis[] = ofKind('along an axis');
export const elementwise: readonly Elementwise[] = ofKind('elementwise');
export const backward: readonly Backward[] = ofKind('backward');
export const losses: readonly LossOperation[] = ofKind('loss');
