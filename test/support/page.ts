/** docs/numerics.md, printed from the table of bounds. */

import type { BackendName } from '../../src/index.js';
import { alongAxis, backward, elementwise, losses } from '../operations/index.js';
import type { AlongAxis } from './alongAxis.js';
import { type Bound, SUM_BOUND, sureGradientBounds, type Units } from './bounds.js';
import { DTYPES, type Dtype } from './cases.js';
import { columnOf, DRAWN_LOG_PROBS, LOG_PROBS, NLL, nameOf, nameOfPart, readRatios, SUM } from './hunted.js';
import type { SpecialRows } from './special.js';

const BACKENDS = ['relaxed-simd', 'simd128', 'reference'] as const;

function superscripts(text: string): string {
  return text.replace(/\^(-?\d+)/g, (_, digits: string) =>
    [...digits].map((c) => (c === '-' ? '⁻' : '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(c)])).join(''),
  );
}

const ratios = readRatios();

/**
 * The largest error that a search has found with one of the backends, as a fraction of the bound.
 * @throws Error where it is more than the bound
 */
function worstOf(what: string, dtype: Dtype, backends: readonly BackendName[]): string {
  const found = backends.flatMap((backend) => ratios[what]?.[columnOf({ dtype, backend })] ?? []);
  const worst = Math.max(...found);
  if (worst > 1) throw new Error(`${what}, ${dtype}: a search has found ${worst} of the bound`);
  return found.length === backends.length ? worst.toFixed(2) : '–';
}

function tableOf(operation: AlongAxis): string {
  const lines = ['| dtype | backend | where | \\|result − exact\\| is at most | found |', '|---|---|---|---|---|'];
  for (const dtype of DTYPES) {
    const groups = new Map<readonly Bound[], BackendName[]>();
    for (const backend of BACKENDS) {
      const list = operation.bounds[dtype][backend];
      groups.set(list, [...(groups.get(list) ?? []), backend]);
    }
    for (const [list, backends] of groups) {
      for (const bound of list) {
        const found = worstOf(nameOf(operation, bound), dtype, backends);
        lines.push(`| ${dtype} | ${backends.join(', ')} | ${bound.where} | ${superscripts(bound.text)} | ${found} |`);
      }
    }
  }
  return lines.join('\n');
}

/** Bounds as multiples of a unit, each with the largest error that a search has found. */
function unitTable(table: Readonly<Record<string, Units>>): string {
  const lines = [`| | dtype | ${BACKENDS.join(' | ')} |`, '|---|---|---|---|---|'];
  for (const [what, units] of Object.entries(table)) {
    for (const dtype of DTYPES) {
      const cells = BACKENDS.map((backend) => `${units[dtype][backend]} (${worstOf(what, dtype, [backend])})`);
      lines.push(`| ${what} | ${dtype} | ${cells.join(' | ')} |`);
    }
  }
  return lines.join('\n');
}

function sureGradientTable(): string {
  const lines = ['| dtype | relaxed-simd | simd128 | reference |', '|---|---|---|---|'];
  for (const dtype of DTYPES) {
    lines.push(`| ${dtype} | ${BACKENDS.map((backend) => sureGradientBounds[dtype][backend]).join(' | ')} |`);
  }
  return lines.join('\n');
}

function lossTable(): string {
  const rows = losses.flatMap((loss): [string, Units][] => [
    [nameOfPart(loss, 'loss'), loss.units.loss],
    [nameOfPart(loss, 'grad'), loss.units.grad],
  ]);
  return unitTable(Object.fromEntries(rows));
}

function scaleTable(): string {
  const lines = ['| | scale of a loss | scale of its gradient |', '|---|---|---|'];
  for (const { name, scales } of losses) lines.push(`| ${name} | ${scales.loss} | ${scales.grad} |`);
  return lines.join('\n');
}

function unitsOfEach(records: readonly { readonly name: string; readonly units: Units }[]): string {
  return unitTable(Object.fromEntries(records.map(({ name, units }) => [name, units])));
}

/** Further sentences about some operations along an axis. */
const AFTER_MEANING: Readonly<Record<string, string>> = {
  logSoftmax: `
A log-probability close to 0 keeps all of its digits: the terms beside the maximum are added on
their own, and the logarithm is that of 1 + their sum. \`logProbs\` is held to the same bounds
(found: ${worstOf(LOG_PROBS, 'float32', BACKENDS)} in float32, ${worstOf(LOG_PROBS, 'float64', BACKENDS)} in float64), and so are the \`logProbs\` of what \`sample\` draws
(${worstOf(DRAWN_LOG_PROBS, 'float32', BACKENDS)} and ${worstOf(DRAWN_LOG_PROBS, 'float64', BACKENDS)}).`,
};
const BELOW_TABLE: Readonly<Record<string, string>> = {
  softmax: `

The probabilities of a float32 row of any length add up to 1 within ${SUM_BOUND} (found:
${worstOf(SUM, 'float32', BACKENDS)} of it). Every probability lies in [0, 1], the largest element has the largest one, and a larger element never
has a probability more than one unit in the last place below that of a smaller one.`,
};

function sectionOf(operation: AlongAxis): string {
  const { name, meaning } = operation;
  return `### ${name}

${meaning}${AFTER_MEANING[name] ?? ''}

${tableOf(operation)}${BELOW_TABLE[name] ?? ''}`;
}

function specialRowTable(): string {
  const { single: _, ...rows } = (alongAxis[0] as AlongAxis).special;
  const says = ({ special }: AlongAxis, row: keyof typeof rows) => {
    const told: SpecialRows[typeof row] = special[row];
    if (told === undefined) return '–';
    return typeof told === 'string' ? told : told.says;
  };
  return [
    `| a row that | ${alongAxis.map(({ name }) => name).join(' | ')} |`,
    `|---|${alongAxis.map(() => '---|').join('')}`,
    ...(Object.keys(rows) as (keyof typeof rows)[]).map(
      (row) => `| ${row} | ${alongAxis.map((operation) => says(operation, row)).join(' | ')} |`,
    ),
  ].join('\n');
}

function specialElementTable(): string {
  return [
    `| element | ${elementwise.map(({ name }) => name).join(' | ')} |`,
    `|---|${elementwise.map(() => '---|').join('')}`,
    ...(['NaN', '+∞', '−∞', 0] as const).map(
      (element) => `| ${element} | ${elementwise.map(({ special }) => special[element]).join(' | ')} |`,
    ),
  ].join('\n');
}

export function numericsPage(): string {
  return `<!-- Printed from test/operations/ by test/numerics.test.ts; npx vitest run test/numerics.test.ts -u prints it anew. -->

# Numerics

What results you may rely on: how accurate they are, what special values give, and what is the same everywhere.

## Accuracy

The tests compare every backend with exact results, which they compute with more digits than float64 has, and fail where
a result is further off than these tables say. If two rows apply, the first one holds. T is the temperature, any accepted one:
2⁻¹⁰⁰ to 2¹⁰⁰ for float32, 2⁻⁹⁰⁰ to 2⁹⁰⁰ for float64. max is the row's largest element. Below the smallest normal
number (1.2e-38 for float32, 2.2e-308 for float64) a probability may be flushed to 0, and with it products of it, such as
gradients; no bound is finer than the smallest number there is. One unit in the last place of a number is
between 2⁻²⁴ and 2⁻²³ of it in float32, and between 2⁻⁵³ and 2⁻⁵² in float64.

"Found" is the largest share of the bound that a search has come to (\`npm run test:hunt\`): it climbs from rows whose
errors add up, towards larger errors, for each line of these tables and each backend.

${alongAxis.map(sectionOf).join('\n\n')}

### softmaxBackward and logSoftmaxBackward

In units of 2⁻²³ (float64: 2⁻⁵²) of the sum of the magnitudes of the formula's terms, |y| · (|dy| + Σ |y · dy|) / T and
(|dy| + e^logP · Σ |dy|) / T: where terms cancel, digits that the arguments do not have cannot come back.

${unitsOfEach(backward)}

### Losses

In units of 2⁻²³ (float64: 2⁻⁵²) of the scale. The scale is the sum of the magnitudes of the terms, for a mean or sum those
of all rows. The bounds for float64 are wider because the factors of a whole row (weights, 1 / T, the divisor of a mean),
crossEntropy's sum of target probabilities and each factor in the sum of distillation are rounded to float64 themselves.
The mean or sum of the element-wise losses bceWithLogits and klDiv may be off by one unit more than the table says on the
SIMD backends, whose lanes add up some losses before float64 does; it is ∞ there where these exceed the
largest float.
The \`nll\` of \`calibrationError\`, from logits, is held to the bound of crossEntropy's loss
(found: ${worstOf(NLL, 'float32', BACKENDS)} in float32, ${worstOf(NLL, 'float64', BACKENDS)} in float64).

${scaleTable()}

${lossTable()}

### crossEntropyWithGrad near the right answer

The gradient at the target is w · (p − 1), and where p is above ½ it is computed as −w · Σ of the other probabilities: a
row that is almost right has a gradient with all of its digits, however small. In units of 2⁻²³ (float64: 2⁻⁵²) of:

| targets | the scale at the target |
|---|---|
| class indices | the gradient itself |
| class indices with label smoothing ε | (1 − ε) w (1 − p) + p · ε/C · Σ w + ε/C · w |

With probabilities as targets, one-hot ones too, the bound is that of the table above.

${sureGradientTable()}

### Losses and gradients below the normal numbers

A loss, or an element of a gradient, below the smallest normal number may become 0 or have fewer digits: whatever a bound
says, it may be off by the smallest normal number. With targets and weights that are not negative the losses of
\`crossEntropy\` and \`bceWithLogits\` are never below 0.

### sigmoid and logSigmoid

In units in the last place, wherever the exact result is a normal number. Below the normal numbers it may become 0.

${unitsOfEach(elementwise)}

### argmax, topK, accuracy

Exact: nothing is rounded. NaN is the largest of all, −0 and 0 are equal, and the first of equals comes first.

### float16 and bfloat16

Computed in float32, to the bounds of float32, and rounded once to nearest even: half a unit in the last place more, which
is between 2⁻¹² and 2⁻¹¹ of a float16 and between 2⁻⁹ and 2⁻⁸ of a bfloat16. Whatever has a number for each row, such as
logSumExp and losses, is float32. A float16 below 2⁻¹⁴ (6.1e-5) has fewer digits, one below 2⁻²⁵ (3e-8) becomes 0, and one
from 65520 on becomes ∞. So small probabilities underflow to 0; the rest are unchanged, and a row sums to 1 within half a
unit in the last place of each element. Logits of the model that are ∞ because they were too large for float16 give NaN, as
any +∞ does; the others may be of any size, for what is computed of them is not float16.

## Special values

${specialRowTable()}

What a mask or causality leaves out is ignored, even if NaN or infinite; the first six lines are about
what is kept, and "all NaN" includes what is left out. A weight of 0 removes its element from logSumExp, a weighted sum
of 0 gives −∞ and a negative one NaN.

${specialElementTable()}

In a loss a target probability of exactly 0 contributes 0, even beside a log-probability of −∞; so does the target class with
\`labelSmoothing: 1\`. In klDiv it gives NaN there, as in torch, and so does a target of −∞ with \`logTarget\`; in
bceWithLogits a logit of +∞ with target 1 or of −∞ with target 0 gives NaN, beside a gradient of 0. A target probability above 0 beside −∞ gives ∞, or NaN where the weight of its class is 0; with label
smoothing every class has one above 0. The weight of a class whose target probability is 0
does not count, even if NaN; label smoothing gives no share to what the mask leaves out. The mean over rows whose
weights sum to 0 is NaN, as in torch, and so is its gradient.

softmaxBackward and logSoftmaxBackward follow their formulas: NaN in dy makes the row NaN, as NaN in y does; NaN in logP
makes its own element NaN. Where y is 0, or logP is −∞, the probability is exactly 0; an e^logP below the
normal numbers may count as 0.

## The same everywhere

\`simd128\` gives the same bits in every engine and on every processor, NaN's own bits excepted. Committed hashes of its
results are compared in every place the tests run. A row's result does not depend on the other rows, on where it lies in
memory, on whether the data is a typed array or a resident tensor, or on how a batch is split between rows. (A batch cut
along an axis behind that of the softmax is another matter: a piece of one to three columns is summed as rows along the
last axis are, in another order than the whole.) Two numbers take a function of the engine, which may differ in its last bit: \`perplexity\`, e to the power of a mean, and the log-likelihood of
\`calibrationError\` from probabilities.

\`relaxed-simd\` may differ in the last bits between processors; \`reference\` takes the engine's own \`Math.exp\` and may
differ in the last bits between engines. Both keep the bounds above.
`;
}
