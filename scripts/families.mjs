// Families: which kernels go into which module. Each is a folder of assembly/kernels/; from what its files export come the
// entry that the compiler gets and, out of the module it makes of that, a module for each family.
//
// A family is cut out of the whole module and not compiled by itself: so it has the very code of the whole, whatever the
// compiler would have inlined elsewhere, and the same addresses of constants. Only core has these constants as data.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import binaryen from 'binaryen';

const FOLDER = 'assembly/kernels';
/** The family that is loaded before all others: what every set needs beside its kernels. */
export const CORE = 'core';
/** The compiler's entry, and where it lies; asconfig.json names it. */
const ENTRY = 'build/entry.ts';
const ELEMENT_TYPES = ['f32', 'f64'];
/** An exported function, generic or not: its parameters and its result. */
const FUNCTION = /^export function (\w+)(<T>)?\(([^)]*)\): (\w+)/gm;
const DATA = /\n \(data .*/g;

/** What a file exports: type parameter, parameters as [name, type], result. */
function signaturesOf(path) {
  const found = [...readFileSync(`${path}.ts`, 'utf8').matchAll(FUNCTION)];
  if (found.length === 0) throw new Error(`${path}.ts exports no function`);
  return found.map(([, name, generic, list, result]) => {
    const parameters = list.split(',').map((parameter) => parameter.trim().split(': '));
    const odd = parameters.find((parameter) => parameter.length !== 2 || !/^\w+$/.test(parameter[0]));
    if (odd !== undefined)
      throw new Error(`${path}.ts: ${name} has a parameter '${odd.join(': ')}', expected 'name: type'`);
    return { path, name, isGeneric: generic !== undefined, parameters, result };
  });
}

/** The functions of each family, core first. */
export function readFamilies() {
  const names = readdirSync(FOLDER).sort((a, b) => Number(b === CORE) - Number(a === CORE) || (a < b ? -1 : 1));
  const filesOf = (family) => readdirSync(`${FOLDER}/${family}`).sort();
  const functionsOf = (family) =>
    filesOf(family).flatMap((file) => signaturesOf(`${FOLDER}/${family}/${file.replace('.ts', '')}`));
  return new Map(names.map((family) => [family, functionsOf(family)]));
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
  writeFileSync(ENTRY, `// Written by scripts/families.mjs from assembly/kernels.\n${code.join('')}`);
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
