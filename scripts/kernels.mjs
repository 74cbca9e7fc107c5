// Finds the kernels, which are the functions that the files in assembly/kernels/ export, and generates code from them:
// the compiler's entry file and, once it is compiled, TypeScript with the text of each function and the operands of
// each kernel.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';

const FOLDER = 'assembly/kernels';
/**
 * The families that every set of functions loads first. Each is one module, small enough for browsers that refuse to
 * compile large modules synchronously. The first contains the constants of all kernels.
 */
const SHARED = ['core', 'half'];
/** The compiler's entry file; asconfig.json names it. */
const ENTRY = 'build/entry.ts';
const ELEMENT_TYPES = ['f32', 'f64'];
/** An exported function, generic or not: its parameters and its result. */
const FUNCTION = /^export function (\w+)(<T>)?\(([^)]*)\): (\w+)/gm;

/** The functions that a file exports; each parameter is [name, type]. */
function signaturesOf(path) {
  const found = [...readFileSync(`${path}.ts`, 'utf8').matchAll(FUNCTION)];
  if (found.length === 0) throw new Error(`${path}.ts exports no function`);
  return found.map(([, name, generic, list, result]) => {
    const parameters = list.split(',').map((parameter) => parameter.trim().split(': '));
    const malformed = parameters.find((parameter) => parameter.length !== 2 || !/^\w+$/.test(parameter[0]));
    if (malformed !== undefined)
      throw new Error(`${path}.ts: ${name} has a parameter '${malformed.join(': ')}', expected 'name: type'`);
    return { path, name, isGeneric: generic !== undefined, parameters, result };
  });
}

/** The exported functions of each family, which is a folder of kernels. */
export function readFamilies() {
  const names = readdirSync(FOLDER).sort();
  const filesOf = (family) => readdirSync(`${FOLDER}/${family}`).sort();
  const functionsOf = (family) =>
    filesOf(family).flatMap((file) => signaturesOf(`${FOLDER}/${family}/${file.replace('.ts', '')}`));
  return new Map(names.map((family) => [family, functionsOf(family)]));
}

/** The names under which a function is exported: a generic one for each element type. */
export function exportNames({ name, isGeneric }) {
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

/** Writes the entry file from which the compiler makes the whole module. */
export function writeEntry(families) {
  const code = [...families.values()].flat().map(exportCode);
  mkdirSync('build', { recursive: true });
  writeFileSync(ENTRY, `// Written by scripts/kernels.mjs from assembly/kernels.\n${code.join('')}`);
}

/** The TypeScript identifier of a function of the module. */
function identifierOf(name) {
  return name
    .replace(/^(assembly|build)\//, '')
    .replace(/\W+/g, '_')
    .replace(/_$/, '');
}

/** TypeScript code with the text of each function, and with the programs of the shared families. */
export function functionsCode({ functions, data }, exports, families) {
  const code = functions.map(({ name, text, callees }) => {
    const called = callees.map((callee) => `, ${identifierOf(callee)}`).join('');
    return `export const ${identifierOf(name)}: Code = ['${text}'${called}];\n`;
  });
  const programs = SHARED.map((family, i) => {
    const names = families.get(family).flatMap(exportNames);
    const exported = names.map((name) => `    ${name}: ${identifierOf(exports.get(name))},\n`);
    return `export const ${family}: Program = {
  exports: {
${exported.join('')}  },
${i === 0 ? `  data: '${data}',\n` : ''}};
`;
  });
  return `import type { Code, Program } from '../wasm/link.js';

${code.join('')}
${programs.join('')}`;
}

/**
 * TypeScript code that declares the operands of each kernel by the names in its source and passes them in order: when a
 * kernel gets another operand, or one is renamed, src/ fails to compile until it follows. `exports` maps the name of
 * each export to that of its function.
 */
export function kernelsCode(families, exports) {
  const kernels = [...families.values()].flat().filter(({ isGeneric }) => isGeneric);
  const identifiers = new Set();
  const programOf = (name, type) => {
    const identifier = identifierOf(exports.get(`${name}_${type}`));
    identifiers.add(identifier);
    return `{ exports: { ${name}_${type}: ${identifier} } }`;
  };
  const code = kernels.map(({ name, parameters }) => {
    const names = parameters.map(([parameter]) => parameter);
    const type = `${name[0].toUpperCase()}${name.slice(1)}Operands`;
    return `
export interface ${type} {
${names.map((operand) => `  ${operand}: number;`).join('\n')}
}
export const ${name}Kernel: KernelSource<${type}> = {
  name: '${name}',
  f32: ${programOf(name, 'f32')},
  f64: ${programOf(name, 'f64')},
  call: (kernel, o) => kernel(${names.map((operand) => `o.${operand}`).join(', ')}),
};
`;
  });
  return `import type { KernelSource } from '../wasm/kernel.js';
import { ${[...identifiers].join(', ')} } from './functions.js';
${code.join('')}`;
}
