import type { Family } from './embedded.js';
import type { Arena } from './memory.js';
import type { Modules } from './wasm.js';

/** What a reference kernel works on: the elements of linear memory, by their size in bytes. */
export type Heaps = Pick<Arena, 'floats' | 'i32' | 'f64' | 'u8'>;

/** A kernel's TypeScript twin: the same operands, after the heaps and the size of an element. */
export type ReferenceKernel<P extends number[]> = (heaps: Heaps, elementBytes: 4 | 8, ...operands: P) => void;

/** A kernel as operations name it: `softmax` stands for the exports softmax_f32 and softmax_f64, and their twin. */
export interface Kernel<F> {
  readonly id: number;
  readonly family: Family;
  readonly name: string;
  readonly reference: ReferenceKernel<F extends (...operands: infer P extends number[]) => unknown ? P : never>;
}

let count = 0;

/** The families of all operations that were imported, those that a bundler dropped left out. */
export const families = new Set<Family>();

/** Declares a kernel. The pure mark at its calls lets bundlers drop the operations that are not used. */
export function defineKernel<P extends number[]>(
  family: Family,
  name: string,
  reference: ReferenceKernel<P>,
): Kernel<(...operands: P) => void> {
  families.add(family);
  return { id: count++, family, name, reference };
}

export function bindKernel<F>(
  { family, name, reference }: Kernel<F>,
  elementBytes: 4 | 8,
  modules: Modules | undefined,
  arena: Arena,
): (...operands: number[]) => number {
  if (modules !== undefined) return modules.exportsOf(family)[`${name}_${elementBytes === 4 ? 'f32' : 'f64'}`]!;
  const twin = reference as unknown as (heaps: Heaps, bytes: number, ...operands: number[]) => number;
  return (...operands) => twin(arena, elementBytes, ...operands);
}
