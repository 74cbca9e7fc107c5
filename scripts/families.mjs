// Families: which kernels go into which module. assembly/families/ lists them, a file for each family; from these lists
// come the entry that the compiler gets and, out of the module it makes of that, a module for each family.
//
// A family is cut out of the whole module and not compiled by itself: so it has the very code of the whole, whatever the
// compiler would have inlined elsewhere, and the same addresses of constants. Only core has these constants as data.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import binaryen from 'binaryen';

const FOLDER = 'assembly/families';
/** The family that is loaded before all others. */
export const CORE = 'core';
/** The compiler's entry, and where it lies; asconfig.json names it. */
const ENTRY = 'build/entry.ts';
const LIST = /^export \{([^}]*)\} from "([^"]*)";$/gm;
const DATA = /\n \(data .*/g;

/** Names of the functions that a file exports for each element type, or as they are. */
function exportsOf(path, name) {
  const text = readFileSync(path, 'utf8');
  const names = [`${name}_f32`, `${name}_f64`, name].filter((export_) => text.includes(`export function ${export_}(`));
  if (names.length === 0) throw new Error(`${path} exports no ${name}`);
  return names;
}

/** A family's exports, file by file. */
function readFamily(file) {
  const text = readFileSync(`${FOLDER}/${file}`, 'utf8');
  return [...text.matchAll(LIST)].map(([, names, from]) => {
    const path = `assembly/${from.replace('../', '')}`;
    return { path, names: names.split(',').flatMap((name) => exportsOf(`${path}.ts`, name.trim())) };
  });
}

/** The names of all exports of each family, core first. */
export function readFamilies() {
  const names = readdirSync(FOLDER).map((file) => file.replace('.ts', ''));
  const families = names.sort((a, b) => Number(b === CORE) - Number(a === CORE) || (a < b ? -1 : 1));
  return new Map(families.map((family) => [family, readFamily(`${family}.ts`)]));
}

/** Writes the entry from which the compiler makes the whole module. */
export function writeEntry(families) {
  const lines = [...families.values()]
    .flat()
    .map(({ path, names }) => `export { ${names.join(', ')} } from "../${path}";`);
  mkdirSync('build', { recursive: true });
  writeFileSync(ENTRY, `// Written by scripts/families.mjs from assembly/families.\n${lines.join('\n')}\n`);
}

/** What of a module, given as text, a family's exports need: its bytes and the names of its functions. */
export function cutFamily(text, family, files) {
  const kept = new Set(files.flatMap(({ names }) => names));
  const module = binaryen.parseText(family === CORE ? text : text.replace(DATA, ''));
  module.setFeatures(binaryen.Features.All);
  const names = Array.from({ length: module.getNumExports() }, (_, i) =>
    binaryen.getExportInfo(module.getExportByIndex(i)),
  ).map(({ name }) => name);
  for (const name of names) if (!kept.has(name)) module.removeExport(name);
  module.runPasses(['remove-unused-module-elements']);
  const functions = Array.from(
    { length: module.getNumFunctions() },
    (_, i) => binaryen.getFunctionInfo(module.getFunctionByIndex(i)).name,
  );
  const bytes = Buffer.from(module.emitBinary());
  module.dispose();
  return { bytes, functions };
}
