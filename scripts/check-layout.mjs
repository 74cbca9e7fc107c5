// Reports which files and lines of code an operation lacks. It has a file of the same name in each of five folders and
// a line in each of three lists. If its file in src/ops/ defines no kernel, it is plain TypeScript and needs no kernel,
// reference or benchmark. The common suites do not cover functions that make a state; each has a test file instead.
import { existsSync, readdirSync, readFileSync } from 'node:fs';

const namesIn = (folder, ending) =>
  readdirSync(folder)
    .filter((file) => file.endsWith(ending))
    .map((file) => file.slice(0, -ending.length));

/** The family of each kernel, which is its folder; the kernels in core, half and masking are not operations. */
const families = new Map(
  readdirSync('assembly/kernels')
    .filter((family) => !['core', 'half', 'masking'].includes(family))
    .flatMap((family) => namesIn(`assembly/kernels/${family}`, '.ts').map((name) => [name, family])),
);
/** Files of src/ops/ that are not operations. */
const NO_OPERATIONS = ['tensor'];
const LISTS = [
  { list: 'src/functions.ts', entryOf: (name) => `'./ops/${name}.js'` },
  { list: 'test/operations/index.ts', entryOf: (name) => (makesState(name) ? '' : `'./${name}.js'`) },
  { list: 'README.md', entryOf: (name) => `\`${name}(` },
];

/** Whether an operation makes a state. */
function makesState(name) {
  return name.endsWith('State');
}

function hasKernel(name) {
  const file = `src/ops/${name}.ts`;
  return !existsSync(file) || readFileSync(file, 'utf8').includes('defineKernel');
}

function filesOf(name) {
  const tests = makesState(name) ? `test/${name}.test.ts` : `test/operations/${name}.ts`;
  const always = [`src/ops/${name}.ts`, tests];
  if (!hasKernel(name)) return always;
  const kernel = `assembly/kernels/${families.get(name) ?? '<folder>'}/${name}.ts`;
  return [...always, kernel, `src/reference/${name}.ts`, `bench/${name}.bench.mjs`];
}

const names = new Set([...families.keys(), ...namesIn('src/ops', '.ts'), ...namesIn('bench', '.bench.mjs')]);
for (const name of NO_OPERATIONS) names.delete(name);
const missing = [...names].flatMap((name) => [
  ...filesOf(name).filter((file) => !existsSync(file)),
  ...LISTS.filter(({ list, entryOf }) => !readFileSync(list, 'utf8').includes(entryOf(name))).map(
    ({ list, entryOf }) => `${entryOf(name)} in ${list}`,
  ),
]);
for (const what of missing) console.error(`missing: ${what}`);
console.log(`${names.size} operations, missing: ${missing.length}`);
process.exitCode = missing.length > 0 ? 1 : 0;
