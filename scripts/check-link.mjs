// Fails if the packed text does not reproduce the compiled modules: links every program of dist/ for both backends and
// compares it with the whole module in build/, instruction by instruction. Functions and, in relaxed-simd, local
// variables may have other numbers, as long as they correspond one to one.
import { readFileSync } from 'node:fs';
import { core, half } from '../dist/generated/functions.js';
import * as kernels from '../dist/generated/kernels.js';
import { link } from '../dist/wasm/link.js';
import { readModule } from './functions.mjs';
import { localOf } from './pack.mjs';

const PROGRAMS = [core, half, ...Object.values(kernels).flatMap(({ f32, f64 }) => [f32, f64])];

/**
 * Pairs of names that two modules give to the same thing, collected one by one.
 * @throws Error if a pair contradicts another
 */
class Renaming {
  #there = new Map();
  #here = new Map();

  /** Adds a pair; returns whether it is new. */
  meet(here, there) {
    const isNew = !this.#there.has(here) && !this.#here.has(there);
    if (!isNew && this.#there.get(here) !== there) throw new Error(`${here} cannot be ${there}`);
    this.#there.set(here, there);
    this.#here.set(there, here);
    return isNew;
  }
}

function expectSame(what, here, there) {
  if (String(here) !== String(there)) throw new Error(`${what} differs`);
}

/** Compares two functions; `calls` gets the functions that they call. */
function compareFunctions(here, there, calls) {
  expectSame('the type', here.type, there.type);
  expectSame('the number of instructions', here.instructions.length, there.instructions.length);
  const locals = new Renaming();
  const parameters = here.type[1];
  for (const [i, instruction] of here.instructions.entries()) {
    const other = there.instructions[i];
    const [local, otherLocal] = [localOf(instruction), localOf(other)];
    if (instruction.callee !== undefined) calls.push([instruction.callee, other.callee]);
    else if (local === undefined || local < parameters) expectSame(`instruction ${i}`, instruction.bytes, other.bytes);
    else {
      expectSame(`instruction ${i}`, instruction.bytes[0], other.bytes[0]);
      expectSame(
        'the type of a local variable',
        here.locals[local - parameters],
        there.locals[otherLocal - parameters],
      );
      locals.meet(local, otherLocal);
    }
  }
}

/** Compares a linked module with the whole one; returns how many functions it has. */
function compareModules(linked, whole) {
  const functions = new Renaming();
  const calls = Array.from(linked.exports, ([name, number]) => [number, whole.exports.get(name)]);
  let count = 0;
  for (const [here, there] of calls) {
    if (!functions.meet(here, there)) continue;
    try {
      compareFunctions(linked.functions.get(here), whole.functions.get(there), calls);
    } catch (error) {
      throw new Error(`${there}: ${error.message}`);
    }
    count++;
  }
  expectSame('the number of functions', count, linked.functions.size);
  if (linked.data !== undefined) expectSame('the data', linked.data, whole.data);
  return count;
}

for (const backend of /** @type {const} */ (['simd128', 'relaxed-simd'])) {
  const text = readFileSync(`build/${backend}.wat`, 'utf8');
  const names = Array.from(text.matchAll(/\n \(func \$(\S+)/g), ([, name]) => name);
  const whole = readModule(readFileSync(`build/${backend}.wasm`), names);
  const counts = PROGRAMS.map((program) => compareModules(readModule(link(program, backend)), whole));
  const functions = counts.reduce((total, count) => total + count);
  console.log(`${backend}: ${counts.length} modules link ${functions} functions as they were compiled`);
}
