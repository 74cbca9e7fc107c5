// Puts the functions of a module in order, first what kernels share, then the kernels, and numbers the local variables of
// each by their first use, type by type. The compiler goes by how often they are used: the same loop in two functions, or
// in the two builds, then differs in every instruction and lies far away, and gzip finds little to share. It makes what a
// browser loads 6 % smaller, and no difference to an engine.
//
// On the way it makes local variables of the globals of assembly/simd/registers.ts, and offsets of constants.
import binaryen from 'binaryen';

/** What every kernel has comes first, what only those of one element type have last: it moves no other's numbers. */
const TYPES = ['i32', 'v128', 'i64', 'f64', 'f32'];
const FUNCTION = /\n \(func (\S+).*?\n \)/gs;
const DECLARATION = /\n {2}\(local (\S+) (\w+)\)/g;
/** The globals of assembly/simd/registers.ts. */
const REGISTER = /global(\.[gs]et) \$assembly\/simd\/registers\/(\w+)/g;
const REGISTERS = /\n \(global \$assembly\/simd\/registers\/.*/g;
const USE = /local\.(?:get|set|tee) (\$[^\s)]+)/g;

/** An address whose constant the optimizer leaves before a load that it does for plain loads. */
const ADDED = /i32\.const (\d+)\n\s+i32\.add\n\s+(v128\.load\d+_(?:splat|zero))\n/g;

/** Makes local variables of the registers that a function uses. */
function allocateRegisters(code) {
  const firstAccess = new Map();
  for (const [, access, name] of code.matchAll(REGISTER)) if (!firstAccess.has(name)) firstAccess.set(name, access);
  const unset = [...firstAccess].find(([, access]) => access === '.get');
  if (unset)
    throw new Error(`${unset[0]} of simd/registers.ts is read before it is written in ${code.match(/\$\S+/)?.[0]}`);
  const declarations = [...firstAccess.keys()].map((name) => `\n  (local $${name} v128)`).join('');
  return code.replace(REGISTER, 'local$1 $$$2').replace(/^\n.*/, (line) => line + declarations);
}

/** Folds constants into the offsets of loads, as the optimizer does for others: below 1024, see low-constants.mjs. */
function foldConstants(code) {
  return code.replace(ADDED, (all, constant, load) => (Number(constant) < 1024 ? `${load} offset=${constant}\n` : all));
}

function orderLocals(text) {
  const firstUses = new Map();
  for (const { 1: name, index } of text.matchAll(USE)) if (!firstUses.has(name)) firstUses.set(name, index);
  const rank = ({ 1: name, 2: type }) => TYPES.indexOf(type) * text.length + (firstUses.get(name) ?? 0);
  const declarations = [...text.matchAll(DECLARATION)].sort((a, b) => rank(a) - rank(b)).map(([line]) => line);
  // A declaration gives a variable its number by its place.
  return text.replace(DECLARATION, () => declarations.shift());
}

/** What kernels share, by these folders and its own name; moving it to another file then hardly moves it here. */
const FOLDERS = ['math', 'simd', 'rows', 'blocks'];

/** What a function is placed by: kernels come last, by file, and exports, which the build writes, with their kernels. */
function placeOf(name) {
  const kernel = name.replace(/build\/entry\/((\w+)_f\d+)/, '$2/$1').replace(/assembly\/kernels\/\w+\//, '');
  if (kernel !== name) return `9${kernel}`;
  const [, folder] = name.split('/');
  const rank = FOLDERS.indexOf(folder);
  // '_' places name<f32> between nameX and namex, which is smaller by a few bytes.
  return `${rank < 0 ? 8 : rank}${name.slice(name.lastIndexOf('/') + 1).replace('<', '_')} ${name}`;
}

/** The text of a module in order, its bytes, and the names of its functions. */
export function orderModule(text) {
  const byName = [...text.matchAll(FUNCTION)].sort(([, a], [, b]) => (placeOf(a) < placeOf(b) ? -1 : 1));
  const functions = byName.map(([code]) => orderLocals(allocateRegisters(foldConstants(code))));
  let place = 0;
  const ordered = text.replace(REGISTERS, '').replace(FUNCTION, () => functions[place++]);
  const module = binaryen.parseText(ordered);
  module.setFeatures(binaryen.Features.All);
  const bytes = Buffer.from(module.emitBinary());
  module.dispose();
  return { text: ordered, bytes, names: byName.map(([, name]) => name.slice(1)) };
}
