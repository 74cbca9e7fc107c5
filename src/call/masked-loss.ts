import type { WideArray } from '../arrays.js';
import { type SmoothTargetsOperands, smoothTargetsKernel } from '../generated/kernels.js';
import { smoothTargets as reference } from '../reference/crossEntropy.js';
import { firstOf } from '../reference/rows.js';
import type { Runtime } from '../runtime.js';
import { defineKernel } from '../wasm/kernel.js';
import type { LossResults } from './loss.js';
import type { Mask } from './mask.js';
import { MaskedInput } from './masked-input.js';
import type { Operand } from './place.js';
import type { Rows } from './rows.js';

/**
 * Hides a target from the kernel, which ignores negative ones; applied again, gives it back. -1 stays free for ignored
 * rows.
 */
const toggleHidden = (target: number) => -2 - target;

const SMOOTH = /* @__PURE__ */ defineKernel(smoothTargetsKernel, reference);

/**
 * The operands of a loss kernel that depend on the mask, for the current block: addresses, 0 for none, and the
 * smoothing.
 */
export interface LossBlock {
  readonly x: number;
  readonly targets: number;
  readonly smoothing: number;
  readonly smoothingTerms: number;
}

/** The parts of a masked loss. */
export interface MaskedLossParts {
  readonly mask: Mask;
  readonly input: Operand;
  readonly rows: Rows;
  /** Whether targets are class probabilities, not class indices. */
  readonly isSoft: boolean;
  readonly smoothing: number;
  /** Address of the weights of the classes, 0 for none. */
  readonly weight: number;
  /** The loss of a row that holds only −∞ and whose target, a class index, is masked out. */
  readonly lossOfEmptyRow: number;
}

/** A loss over the classes that a mask keeps in each row, with a kernel that knows no masks. */
export class MaskedLoss {
  readonly #runtime: Runtime;
  readonly #parts: MaskedLossParts;
  readonly #input: MaskedInput;
  readonly #smooth: ((operands: SmoothTargetsOperands) => void) | undefined;
  readonly #smoothed: number;
  /** The rows of the current block that keep nothing, if targets are probabilities. */
  #empty: number[] = [];

  /** Adds the input to the run, which must be open. */
  constructor(runtime: Runtime, operation: string, parts: MaskedLossParts) {
    const { mask, input, rows, smoothing } = parts;
    this.#runtime = runtime;
    this.#parts = parts;
    this.#input = new MaskedInput(runtime, operation, mask, input, rows);
    this.#smooth = smoothing > 0 ? runtime.kernel(SMOOTH, input.elementBytes, operation) : undefined;
    this.#smoothed = smoothing > 0 ? runtime.run.intermediate() : -1;
  }

  /** Applies the mask to the current block, whose targets are at address `given`. */
  prepare(given: number): LossBlock {
    const { run } = this.#runtime;
    const { isSoft, smoothing, rows } = this.#parts;
    const x = this.#input.apply();
    if (isSoft) this.#clearMaskedOutRows();
    else this.#hideEmptyRows(given);
    const y = run.atOrZero(this.#smoothed);
    const targets = isSoft ? given : 0;
    const { mask } = this.#input;
    this.#smooth?.({ targets, y, outer: run.outer, n: rows.n, inner: run.inner, smoothing, mask });
    // Smoothed probabilities replace the given ones; with class indices, the kernel adds them to the target's share.
    if (isSoft && y !== 0) return { x, targets: y, smoothing: 0, smoothingTerms: 0 };
    return { x, targets: given, smoothing, smoothingTerms: y };
  }

  /** Corrects the kernel's results for the current block; `targets` are those that the kernel was given. */
  finish(targets: number, { losses, gradient, sum }: LossResults): void {
    const { arena } = this.#runtime;
    const { isSoft, smoothing, lossOfEmptyRow } = this.#parts;
    const add = (row: number, value: number) => {
      if (losses === 0) arena.f64[sum / 8]! += value;
      else this.#heap[losses / this.#elementBytes + row] = value;
    };
    if (isSoft) {
      for (const row of this.#empty) add(row, this.#emptyLoss(targets, row));
    } else {
      for (let row = 0; row < this.#count; row++) {
        const target = toggleHidden(arena.i32[targets / 4 + row]!);
        // With smoothing 1 the target has no share.
        if (target >= 0) add(row, smoothing === 1 ? 0 : lossOfEmptyRow * this.#weightOf(target));
      }
    }
    if (gradient !== 0) this.#input.fill(gradient, 0);
  }

  get #elementBytes(): 4 | 8 {
    return this.#parts.input.elementBytes;
  }

  get #heap(): WideArray {
    return this.#runtime.arena.floats(this.#elementBytes);
  }

  /** Rows of the block. */
  get #count(): number {
    const { outer, inner } = this.#runtime.run;
    return outer * inner;
  }

  /** Clears rows that keep nothing, so that target probabilities of 0 give a loss of 0 there. */
  #clearMaskedOutRows(): void {
    this.#empty = [];
    for (let row = 0; row < this.#count; row++) if (this.#input.clearIfMasked(row)) this.#empty.push(row);
  }

  /** Hides rows from the kernel that hold only −∞ and whose target is masked out. */
  #hideEmptyRows(targets: number): void {
    const { i32 } = this.#runtime.arena;
    const input = this.#input;
    for (let row = 0; row < this.#count; row++) {
      const target = i32[targets / 4 + row]!;
      if (target >= 0 && !input.keeps(row, target) && input.isEmpty(row)) i32[targets / 4 + row] = toggleHidden(target);
    }
  }

  /** The loss of a row of the current block that keeps nothing: as where every logit is −∞ beside one that is kept. */
  #emptyLoss(targets: number, row: number): number {
    const { inner } = this.#runtime.run;
    const { n } = this.#parts.rows;
    const first = targets / this.#elementBytes + firstOf(row, n, inner);
    let loss = 0;
    for (let j = 0; j < n; j++) {
      const p = this.#heap[first + j * inner]!;
      if (p !== 0) loss += Infinity * p * this.#weightOf(j);
    }
    return loss;
  }

  #weightOf(j: number): number {
    const { weight } = this.#parts;
    return weight === 0 ? 1 : this.#heap[weight / this.#elementBytes + j]!;
  }
}
