// cross-entropy: the loss of each problem of [outer, n, inner] and, in the same pass, its gradient.
//
// With q_c the target's share of class c times the class weight, loss = −Σ q_c L_c, L = log-softmax(x / t), and
// d loss / d x_c = (Σ q · softmax_c − q_c) / t. A class index is never made one-hot: own = (1 − ε) w_t is its q, and
// label smoothing adds ε / n · w_c to every class (torch.nn.functional.cross_entropy).
//
// Where an index's probability p is above ½, own · (p − 1) is −own · Σ of the others', which the sums have anyway: the
// gradient of a row that is almost right keeps its digits. One-hot shares would have to be found first.
//
// Passes over a row: with smoothing or probabilities the maximum, and the sums of q and q · x; e^x, stored as the
// gradient to be; the gradient. Without a gradient (0) nothing of the row's size is written.
// targets: i32 indices, -1 where ignored (loss and gradient 0), or shares of T laid out as x ("soft").
// losses: T for each problem, or 0 to add them in order to the f64 at sum. weight, rowScales: T or 0.
// gradient may be x; no result overlaps with any other operand. The gradient is times scale, and times the problem's own
// of rowScales. A probability below the normal numbers may count as 0 in it, even where scale / t would make a normal
// number of it again.

import { gather, scatter } from "../blocks/gather";
import { tileExpLogSum, tileLogSum } from "../blocks/logsum";
import { tileMaxima } from "../blocks/reduce";
import { faintLimit, isFaint, tileFactors } from "../blocks/scale";
import { tileChosen, tileGradient, tileTargetSums } from "../blocks/targets";
import { checkArray, checkOperand, checkResults, checkSameOrApart, checkTemperature } from "../contracts";
import { elementOrOne, emit, quotient } from "../loss";
import { fastLimit } from "../math/exp";
import { prepareExp } from "../math/exp-table";
import { WIDE } from "../math/sum";
import { logSumOf, maximumOf, rowExpLogSum, rowLogSum } from "../rows/logsum";
import { rowMax } from "../rows/reduce";
import { rowFactor, rowScale } from "../rows/scale";
import { rowGradient, rowTargetSums } from "../rows/targets";
import {
  FACTOR, GRADIENT_SCALE, HEADER_BYTES, LINE_BYTES, LOG_SUM, MAXIMUM, OTHERS, ROW_OTHERS, ROW_TOTAL, SCALE, TARGET_DOT,
  TARGET_LOGIT, TARGET_SUM
} from "../scratch";
import { columnsOf, problemsOfTile, usesRows } from "../shape";

// @ts-ignore: decorator
@inline
function lossAndGradient<T>(
  soft: bool, x: usize, targets: usize, losses: usize, gradient: usize, outer: usize, n: usize, inner: usize, t: f64,
  weight: usize, smoothing: f64, scale: f64, rowScales: usize, sum: usize, scratch: usize
): void {
  const problems = outer * inner, elements = problems * n;
  checkResults<T>(losses, problems, gradient, elements, sum, scratch);
  checkArray<T>(x, elements);
  checkSameOrApart(x, elements * sizeof<T>(), losses, problems * sizeof<T>());
  checkSameOrApart(x, elements * sizeof<T>(), gradient, elements * sizeof<T>());
  if (soft) checkOperand<T, T>(targets, elements, losses, problems, gradient, elements);
  else checkOperand<T, i32>(targets, problems, losses, problems, gradient, elements);
  checkOperand<T, T>(weight, n, losses, problems, gradient, elements);
  checkOperand<T, T>(rowScales, problems, losses, problems, gradient, elements);
  checkTemperature(t);
  prepareExp<T>(t, scratch);
  if (usesRows<T>(n, inner)) {
    rows<T>(soft, x, targets, losses, gradient, outer, n, t, weight, smoothing, scale, rowScales, sum, scratch);
  } else {
    tiles<T>(soft, x, targets, losses, gradient, outer, n, inner, t, weight, smoothing, scale, rowScales, sum, scratch);
  }
}

// @ts-ignore: decorator
@inline
function rows<T>(
  soft: bool, x: usize, targets: usize, losses: usize, gradient: usize, count: usize, n: usize, t: f64,
  weight: usize, smoothing: f64, scale: f64, rowScales: usize, sum: usize, scratch: usize
): void {
  const bytes = n * sizeof<T>(), narrow = t / WIDE;
  const spread = smoothing / <f64>n, keep = 1 - smoothing;
  for (let row: usize = 0; row < count; row++, x += bytes) {
    const target = soft ? 0 : load<i32>(targets + (row << 2));
    const g = gradient + row * bytes, shares = soft ? targets + row * bytes : 0;
    if (target < 0) {
      if (gradient) memory.fill(g, 0, bytes);
      emit<T>(losses, sum, row, 0);
      continue;
    }
    const w = soft ? 1 : elementOrOne<T>(weight, target);
    const own = soft ? 0 : keep * w;
    const chosen = soft ? 0 : <f64>load<T>(x + target * sizeof<T>());
    let q: f64 = 0, qx: f64 = 0;
    if (soft || smoothing != 0) {
      const sums = rowTargetSums<T>(x, shares, weight, n, rowMax<T>(x, n), keep, spread);
      q = f64x2.extract_lane(sums, 0);
      qx = f64x2.extract_lane(sums, 1);
    }
    const sums = gradient ? rowExpLogSum<T>(x, g, n, t, scratch) : rowLogSum<T>(x, n, t, scratch);
    const logSum = logSumOf(sums);
    let loss = q * logSum - qx / narrow;
    // A share of 0 counts 0 even beside ∞.
    if (!soft && keep != 0) loss += own * (logSum + quotient<T>(maximumOf(sums), chosen, t));
    emit<T>(losses, sum, row, loss);
    if (!gradient) continue;
    const s = scale * elementOrOne<T>(rowScales, row) / t;
    const total = load<f64>(scratch, ROW_TOTAL), ofShares = s * (own + q);
    const factor = rowFactor<T>(g, n, ofShares / total, ofShares, total);
    if (soft || smoothing != 0) rowGradient<T>(g, shares, weight, n, factor, <T>s, keep, spread);
    else rowScale<T>(g, g, n, factor);
    if (soft) continue;
    const p = g + target * sizeof<T>(), others = load<f64>(scratch, ROW_OTHERS) / total;
    if (others < 0.5 && chosen == maximumOf(sums)) {
      store<T>(p, <T>(s * (q * (1 - others) - spread * w - own * others)));
    } else store<T>(p, <T>(<f64>load<T>(p) - s * own));
  }
}

// @ts-ignore: decorator
@inline
function tiles<T>(
  soft: bool, x: usize, targets: usize, losses: usize, gradient: usize, outer: usize, n: usize, inner: usize, t: f64,
  weight: usize, smoothing: f64, scale: f64, rowScales: usize, sum: usize, scratch: usize
): void {
  const tile = scratch + HEADER_BYTES, limit = fastLimit<T>(t);
  const shares = soft ? tile + n * LINE_BYTES : 0;
  const spread = smoothing / <f64>n, keep = 1 - smoothing;
  const spreads = soft || smoothing != 0;
  const narrow = t / WIDE, faintest = faintLimit(n);
  let problems: usize = 0;
  for (let first: usize = 0; first < outer * inner; first += problems) {
    problems = problemsOfTile<T>(first, outer, inner);
    const columns = columnsOf<T>(problems);
    const form = gather<T>(x, n, inner, first, problems, tile, limit);
    if (soft) gather<T>(targets, n, inner, first, problems, shares, limit);
    else tileChosen<T>(tile, targets + (first << 2), problems, scratch);
    tileMaxima<T>(tile, n, columns, form, scratch);
    if (spreads) tileTargetSums<T>(tile, shares, weight, n, columns, soft ? keep : 0, spread, scratch);
    if (gradient) tileExpLogSum<T>(tile, n, columns, form, t, scratch);
    else tileLogSum<T>(tile, n, columns, form, t, scratch);
    let faint: u32 = 0;
    for (let i: usize = 0; i < problems; i++) {
      const target = soft ? 0 : load<i32>(targets + ((first + i) << 2));
      const state = scratch + i * sizeof<T>();
      if (target < 0) {
        emit<T>(losses, sum, first + i, 0);
        store<T>(state, 0, FACTOR);
        store<T>(state, 0, SCALE);
        continue;
      }
      const own = soft ? 0 : keep * elementOrOne<T>(weight, target);
      const q = spreads ? load<f64>(scratch + (i << 3), TARGET_SUM) : 0;
      const logSum = <f64>load<T>(state, LOG_SUM);
      let loss = spreads ? q * logSum - load<f64>(scratch + (i << 3), TARGET_DOT) / narrow : 0;
      if (!soft && keep != 0) {
        loss += own * (logSum + quotient<T>(<f64>load<T>(state, MAXIMUM), <f64>load<T>(state, TARGET_LOGIT), t));
      }
      emit<T>(losses, sum, first + i, loss);
      if (!gradient) continue;
      const s = scale * elementOrOne<T>(rowScales, first + i) / t;
      const ofShares = s * (own + q);
      if (isFaint<T>(ofShares, faintest)) {
        store<f64>(scratch + (i << 3), ofShares, GRADIENT_SCALE);
        faint |= 1 << <u32>i;
      } else store<T>(state, <T>(ofShares * <f64>load<T>(state, FACTOR)), FACTOR);
      store<T>(state, <T>s, SCALE);
    }
    if (!gradient) continue;
    if (sizeof<T>() == 4 && faint) tileFactors(tile, n, faint, scratch);
    if (spreads) tileGradient<T>(tile, shares, weight, n, columns, soft ? keep : 0, spread, scratch);
    scatter<T>(tile, gradient, n, inner, first, problems, scratch);
    if (!soft) targetGradients<T>(gradient, targets, n, inner, first, problems, weight, keep, spread, scratch);
  }
}

/**
 * The targets' own share of the gradient. Which of them are the maximum and above ½ nobody can foretell: there is no
 * branch for it, and OTHERS becomes NaN where they are not the maximum.
 */
function targetGradients<T>(
  gradient: usize, targets: usize, n: usize, inner: usize, first: usize, problems: usize, weight: usize, keep: f64,
  spread: f64, scratch: usize
): void {
  for (let at = scratch, end = scratch + LINE_BYTES; at < end; at += 16) {
    const isElsewhere = v128.ne<T>(v128.load(at, TARGET_LOGIT), v128.load(at, MAXIMUM));
    v128.store(at, v128.or(v128.load(at, OTHERS), isElsewhere), OTHERS);
  }
  for (let i: usize = 0; i < problems; i++) {
    const problem = first + i, state = scratch + i * sizeof<T>();
    const target = load<i32>(targets + (problem << 2));
    if (target < 0) continue;
    const p = gradient + ((problem / inner * n + <usize>target) * inner + problem % inner) * sizeof<T>();
    const s = <f64>load<T>(state, SCALE), w = elementOrOne<T>(weight, target), others = <f64>load<T>(state, OTHERS);
    const own = s * keep * w;
    let sure = -own * others;
    if (spread != 0) sure += s * (load<f64>(scratch + (i << 3), TARGET_SUM) * (1 - others) - spread * w);
    store<T>(p, <T>select<f64>(sure, <f64>load<T>(p) - own, others < 0.5));
  }
}

/** On class indices. */
// @ts-ignore: decorator
@inline
export function crossEntropy<T>(
  x: usize, targets: usize, losses: usize, gradient: usize, outer: usize, n: usize, inner: usize,
  temperature: f64, weight: usize, smoothing: f64, scale: f64, gradOutput: usize, sum: usize, scratch: usize
): void {
  lossAndGradient<T>(
    false, x, targets, losses, gradient, outer, n, inner, temperature, weight, smoothing, scale, gradOutput, sum,
    scratch
  );
}

/** On class probabilities. */
// @ts-ignore: decorator
@inline
export function softCrossEntropy<T>(
  x: usize, targets: usize, losses: usize, gradient: usize, outer: usize, n: usize, inner: usize,
  temperature: f64, weight: usize, smoothing: f64, scale: f64, gradOutput: usize, sum: usize, scratch: usize
): void {
  lossAndGradient<T>(
    true, x, targets, losses, gradient, outer, n, inner, temperature, weight, smoothing, scale, gradOutput, sum,
    scratch
  );
}
