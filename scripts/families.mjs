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
const ELEMENT_TYPES = ['f32', 'f64'];
const LIST = /^export \{([^}]*)\} from "([^"]*)";$/gm;
const DATA = /\n \(data .*/g;

/** An exported function of a file, generic or not: its type parameter, its parameters as [name, type], its result. */
function signatureOf(path, name) {
  const declaration = new RegExp(`export function ${name}(<T>)?\\(([^)]*)\\): (\\w+)`);
  const found = readFileSync(`${path}.ts`, 'utf8').match(declaration);
  if (found === null) throw new Error(`${path}.ts exports no function ${name}`);
  const parameters = found[2].split(',').map((parameter) => parameter.trim().split(': '));
  return { path, name, isGeneric: found[1] !== undefined, parameters, result: found[3] };
}

/** What a family exports. */
function readFamily(file) {
  const text = readFileSync(`${FOLDER}/${file}`, 'utf8');
  return [...text.matchAll(LIST)].flatMap(([, names, from]) =>
    names.split(',').map((name) => signatureOf(`assembly/${from.replace('../', '')}`, name.trim())),
  );
}

/** The functions of each family, core first. */
export function readFamilies() {
  const names = readdirSync(FOLDER).map((file) => file.replace('.ts', ''));
  const families = names.sort((a, b) => Number(b === CORE) - Number(a === CORE) || (a < b ? -1 : 1));
  return new Map(families.map((family) => [family, readFamily(`${family}.ts`)]));
}

/** The names under which a function is exported: a generic one for each element type. */
function exportNames({ name, isGeneric }) {
  return isGeneric ? ELEMENT_TYPES.map((type) => `${name}_${type}`) : [name];
}

function exportCode({ path, name, isGeneric, parameters, result }) {
  if (!isGeneric) return `export { ${name} } from "../${path}";\n`;
  const declared = parameters.map(([parameter, type]) => `${parameter}: ${type}`).join(', ');
  const passed = parameters.map(([parameter]) => parameter).join(', ');
  const functions = ELEMENT_TYPES.map(
    (type) => `export function ${name}_${type}(${declared}): ${result} {\n  ${name}<${type}>(${passed});\n}\n`,
  );
  return `import { ${name} } from "../${path}";\n${functions.join('')}`;
}

/** Writes the entry from which the compiler makes the whole module. */
export function writeEntry(families) {
  const code = [...families.values()].flat().map(exportCode);
  mkdirSync('build', { recursive: true });
  writeFileSync(ENTRY, `// Written by scripts/families.mjs from assembly/families.\n${code.join('')}`);
}

/**
 * TypeScript that names the operands of each kernel as its source does, and calls it with them: a kernel with another
 * operand, or with one of another name, then does not compile in src/.
 */
export function kernelsCode(families) {
  const kernels = [...families].flatMap(([family, functions]) =>
    functions.filter(({ isGeneric }) => isGeneric).map((signature) => ({ family, ...signature })),
  );
  const code = kernels.map(({ family, name, parameters }) => {
    const names = parameters.map(([parameter]) => parameter);
    const type = `${name[0].toUpperCase()}${name.slice(1)}Operands`;
    return `
export interface ${type} {
${names.map((operand) => `  ${operand}: number;`).join('\n')}
}
export const ${name}Kernel: KernelSource<${type}> = {
  family: ${family}Family,
  name: '${name}',
  call: (kernel, o) => kernel(${names.map((operand) => `o.${operand}`).join(', ')}),
};
`;
  });
  const imported = [...families.keys()].filter((family) => family !== CORE).map((family) => `${family}Family`);
  return `import type { KernelSource } from '../wasm/kernel.js';
import { ${imported.join(', ')} } from './families.js';
${code.join('')}`;
}

/** What of a module, given as text, a family's exports need: its bytes and the names of its functions. */
export function cutFamily(text, family, functions) {
  const kept = new Set(functions.flatMap(exportNames));
  const module = binaryen.parseText(family === CORE ? text : text.replace(DATA, ''));
  module.setFeatures(binaryen.Features.All);
  const names = Array.from({ length: module.getNumExports() }, (_, i) =>
    binaryen.getExportInfo(module.getExportByIndex(i)),
  ).map(({ name }) => name);
  for (const name of names) if (!kept.has(name)) module.removeExport(name);
  module.runPasses(['remove-unused-module-elements']);
  const kernels = Array.from(
    { length: module.getNumFunctions() },
    (_, i) => binaryen.getFunctionInfo(module.getFunctionByIndex(i)).name,
  );
  const bytes = Buffer.from(module.emitBinary());
  module.dispose();
  return { bytes, functions: kernels };
}
