import { type ApplyMaskOperands, applyMaskKernel } from '../generated/kernels.js';
import { applyMask as reference } from '../reference/applyMask.js';
import { keeps } from '../reference/mask.js';
import { firstOf } from '../reference/rows.js';
import type { Runtime } from '../runtime.js';
import { defineKernel } from '../wasm/kernel.js';
import { type Descriptor, describeMask } from './descriptor.js';
import type { Mask } from './mask.js';
import type { Operand } from './place.js';
import type { Rows } from './rows.js';

const KERNEL = /* @__PURE__ */ defineKernel(applyMaskKernel, reference);

/**
 * The first argument of an operation whose kernel knows no masks: a copy of each block with −∞ in place of masked-out
 * elements. Where −∞ differs from leaving an element out, the operation corrects the kernel's result.
 */
export class MaskedInput {
  readonly #runtime: Runtime;
  readonly #elementBytes: 4 | 8;
  readonly #n: number;
  readonly #slot: number;
  readonly #descriptor: Descriptor;
  readonly #apply: (operands: ApplyMaskOperands) => void;
  /** The address of the mask's descriptor, updated for the current block. */
  mask = 0;

  /** Adds the argument to the run, which must be open. */
  constructor(runtime: Runtime, operation: string, mask: Mask, input: Operand, rows: Rows) {
    const { run } = runtime;
    this.#runtime = runtime;
    this.#elementBytes = input.elementBytes;
    this.#n = rows.n;
    this.#apply = runtime.kernel(KERNEL, input.elementBytes, operation);
    this.#slot = run.input(input, true);
    this.#descriptor = describeMask(runtime, mask, input, rows);
  }

  /** Applies the mask to the current block, and returns its address. */
  apply(): number {
    const x = this.#runtime.run.at(this.#slot);
    this.mask = this.#descriptor.at();
    this.fill(x, -Infinity);
    return x;
  }

  /** Writes a value to the masked-out elements of an array of the block's shape. */
  fill(x: number, value: number): void {
    const { outer, inner } = this.#runtime.run;
    this.#apply({ x, outer, n: this.#n, inner, mask: this.mask, value });
  }

  /** Whether element j of a row of the current block is kept. */
  keeps(row: number, j: number): boolean {
    return keeps(this.#runtime.arena, this.mask, row, j, this.#n);
  }

  /** Element j of a row of the current block, −∞ if it is masked out. */
  element(row: number, j: number): number {
    return this.#runtime.arena.floats(this.#elementBytes)[this.#indexOf(row, j)]!;
  }

  #indexOf(row: number, j: number): number {
    const { run } = this.#runtime;
    const { inner } = run;
    return run.at(this.#slot) / this.#elementBytes + firstOf(row, this.#n, inner) + j * inner;
  }

  /**
   * Sets the elements of a row of the current block to 0 if nothing in it is kept, so that its softmax is not NaN.
   * Returns whether it did.
   */
  clearIfMasked(row: number): boolean {
    for (let j = 0; j < this.#n; j++) if (this.keeps(row, j)) return false;
    for (let j = 0; j < this.#n; j++) this.#runtime.arena.floats(this.#elementBytes)[this.#indexOf(row, j)] = 0;
    return true;
  }

  /** Whether a row of the current block holds only −∞, because nothing is kept or all that is kept is −∞. */
  isEmpty(row: number): boolean {
    for (let j = 0; j < this.#n; j++) if (this.element(row, j) !== -Infinity) return false;
    return true;
  }
}
