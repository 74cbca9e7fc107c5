import type { Arena } from '../memory/arena.js';
import type { Program } from './link.js';
import type { Modules } from './modules.js';

/** What a reference kernel works on: the elements of linear memory, by their size in bytes. */
export type Heaps = Pick<Arena, 'floats' | 'i32' | 'f64' | 'u8'>;

/** A compiled kernel as its module exports it. */
export type WasmFunction = (...operands: number[]) => number;

/**
 * A kernel as scripts/kernels.mjs generates it from its source: the program `f32` exports name_f32, `f64` exports
 * name_f64.
 */
export interface KernelSource<O> {
  readonly name: string;
  readonly f32: Program;
  readonly f64: Program;
  readonly call: (kernel: WasmFunction, operands: O) => void;
}

/** The same kernel in plain TypeScript, on elements of this many bytes. */
export type ReferenceKernel<O> = (heaps: Heaps, elementBytes: 4 | 8, operands: O) => void;

/** A kernel as operations name it. */
export interface Kernel<O> extends KernelSource<O> {
  readonly id: number;
  readonly reference: ReferenceKernel<O>;
}

let count = 0;

/** The programs of all operations in this bundle, for `init` to compile. */
export const programs = new Set<Program>();

/** Defines a kernel. Its calls are marked pure, so that bundlers drop the operations that are not used. */
export function defineKernel<O>(source: KernelSource<O>, reference: ReferenceKernel<O>): Kernel<O> {
  programs.add(source.f32).add(source.f64);
  return { ...source, id: count++, reference };
}

export function bindKernel<O>(
  { name, f32, f64, call, reference }: Kernel<O>,
  elementBytes: 4 | 8,
  modules: Modules | undefined,
  arena: Arena,
): (operands: O) => void {
  if (modules === undefined) return (operands) => reference(arena, elementBytes, operands);
  const kernel = elementBytes === 4 ? modules.exportsOf(f32)[`${name}_f32`]! : modules.exportsOf(f64)[`${name}_f64`]!;
  return (operands) => call(kernel, operands);
}
