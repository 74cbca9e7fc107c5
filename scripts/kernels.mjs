// Which kernels there are: from what the files in assembly/kernels/ export come the entry that the compiler gets, and
// TypeScript that names the functions of the module it makes of that, and the operands of each kernel.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';

const FOLDER = 'assembly/kernels';
/**
 * The families of what a set of functions needs beside its kernels, each one module: an engine that compiles nothing large
 * at once still takes them. The first holds the constants of all kernels.
 */
const SHARED = ['core', 'half'];
/** The compiler's entry, and where it lies; asconfig.json names it. */
const ENTRY = 'build/entry.ts';
const ELEMENT_TYPES = ['f32', 'f64'];
/** An exported function, generic or not: its parameters and its result. */
const FUNCTION = /^export function (\w+)(<T>)?\(([^)]*)\): (\w+)/gm;

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

/** What the files of each family, a folder, export. */
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

/** Writes the entry from which the compiler makes the whole module. */
export function writeEntry(families) {
  const code = [...families.values()].flat().map(exportCode);
  mkdirSync('build', { recursive: true });
  writeFileSync(ENTRY, `// Written by scripts/kernels.mjs from assembly/kernels.\n${code.join('')}`);
}

/** A function's name in the module as one in TypeScript. */
function identifierOf(name) {
  return name
    .replace(/^(assembly|build)\//, '')
    .replace(/\W+/g, '_')
    .replace(/_$/, '');
}

/** TypeScript of the functions' texts, and of the programs that every set of functions needs. */
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
 * TypeScript that names the operands of each kernel as its source does, and calls it with them: a kernel with another
 * operand, or with one of another name, then does not compile in src/. `exports` has the function of each exported name.
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
