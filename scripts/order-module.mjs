// Makes a module compress better: sorts its functions, shared ones before the kernels, and numbers the local variables
// of each by their first use, type by type. The compiler orders both by how often they are used: a loop that occurs in
// two functions, or in both builds, then differs in every instruction and is far away, and gzip finds few repetitions.
// What a browser loads becomes 6 % smaller, and it runs as before.
//
// It also turns the globals of assembly/simd/registers.ts into local variables, and moves constants into the offsets of
// some loads.
import binaryen from 'binaryen';

/**
 * The types of local variables in the order of their numbers: first those that every kernel has. Those of one element
 * type come last, so that they do not shift the numbers of others.
 */
const TYPES = ['i32', 'v128', 'i64', 'f64', 'f32'];
const FUNCTION = /\n \(func (\S+).*?\n \)/gs;
const DECLARATION = /\n {2}\(local (\S+) (\w+)\)/g;
/** The globals of assembly/simd/registers.ts. */
const REGISTER = /global(\.[gs]et) \$assembly\/simd\/registers\/(\w+)/g;
const REGISTERS = /\n \(global \$assembly\/simd\/registers\/.*/g;
const USE = /local\.(?:get|set|tee) (\$[^\s)]+)/g;

/**
 * A constant added to the address of a splat or zero load: the optimizer folds it into the offset of plain loads only.
 */
const ADDED = /i32\.const (\d+)\n\s+i32\.add\n\s+(v128\.load\d+_(?:splat|zero))\n/g;

/** Turns the registers that a function uses into local variables. */
function allocateRegisters(code) {
  const firstAccess = new Map();
  for (const [, access, name] of code.matchAll(REGISTER)) if (!firstAccess.has(name)) firstAccess.set(name, access);
  const unset = [...firstAccess].find(([, access]) => access === '.get');
  if (unset)
    throw new Error(`${unset[0]} of simd/registers.ts is read before it is written in ${code.match(/\$\S+/)?.[0]}`);
  const declarations = [...firstAccess.keys()].map((name) => `\n  (local $${name} v128)`).join('');
  return code.replace(REGISTER, 'local$1 $$$2').replace(/^\n.*/, (line) => line + declarations);
}

/**
 * Folds such constants into offsets, up to the same limit as the optimizer: low-constants.mjs says why that is safe.
 */
function foldConstants(code) {
  return code.replace(ADDED, (all, constant, load) => (Number(constant) < 1024 ? `${load} offset=${constant}\n` : all));
}

function orderLocals(text) {
  const firstUses = new Map();
  for (const { 1: name, index } of text.matchAll(USE)) if (!firstUses.has(name)) firstUses.set(name, index);
  const rank = ({ 1: name, 2: type }) => TYPES.indexOf(type) * text.length + (firstUses.get(name) ?? 0);
  const declarations = [...text.matchAll(DECLARATION)].sort((a, b) => rank(a) - rank(b)).map(([line]) => line);
  // A variable's number is the position of its declaration.
  return text.replace(DECLARATION, () => declarations.shift());
}

/**
 * The folders of shared functions, in order. Within a folder they are sorted by their names alone: moving one to
 * another file hardly changes the module.
 */
const FOLDERS = ['math', 'simd', 'rows', 'blocks'];

/** What functions are sorted by. Kernels come last, by file, each with its exports, which are in build/entry.ts. */
function sortKeyOf(name) {
  const kernel = name.replace(/build\/entry\/((\w+)_f\d+)/, '$2/$1').replace(/assembly\/kernels\/\w+\//, '');
  if (kernel !== name) return `9${kernel}`;
  const [, folder] = name.split('/');
  const rank = FOLDERS.indexOf(folder);
  // '_' places name<f32> between nameX and namex, which is smaller by a few bytes.
  return `${rank < 0 ? 8 : rank}${name.slice(name.lastIndexOf('/') + 1).replace('<', '_')} ${name}`;
}

/** Orders a module, given as text. @returns the new text, its bytes, and the names of its functions in order */
export function orderModule(text) {
  const byName = [...text.matchAll(FUNCTION)].sort(([, a], [, b]) => (sortKeyOf(a) < sortKeyOf(b) ? -1 : 1));
  const functions = byName.map(([code]) => orderLocals(allocateRegisters(foldConstants(code))));
  const ordered = text.replace(REGISTERS, '').replace(FUNCTION, () => functions.shift());
  const module = binaryen.parseText(ordered);
  module.setFeatures(binaryen.Features.All);
  const bytes = Buffer.from(module.emitBinary());
  module.dispose();
  return { text: ordered, bytes, names: byName.map(([, name]) => name.slice(1)) };
}
