// An operation is a file of one name in each of five folders and a line in each of three lists: says what is missing. One
// whose file in src/ops/ defines no kernel is plain TypeScript, and has nothing to compile, to fall back on or to time. What
// makes a state is no operation that the suites go over, and has tests of its own.
import { existsSync, readdirSync, readFileSync } from 'node:fs';

const namesIn = (folder, ending) =>
  readdirSync(folder)
    .filter((file) => file.endsWith(ending))
    .map((file) => file.slice(0, -ending.length));

/** The folder of each kernel, its family; core and masking have what is no operation. */
const families = new Map(
  readdirSync('assembly/kernels')
    .filter((family) => !['core', 'masking'].includes(family))
    .flatMap((family) => namesIn(`assembly/kernels/${family}`, '.ts').map((name) => [name, family])),
);
/** Files of src/ops/ that are no operations. */
const NO_OPERATIONS = ['tensor'];
const LISTS = [
  { list: 'src/functions.ts', entryOf: (name) => `'./ops/${name}.js'` },
  { list: 'test/operations/index.ts', entryOf: (name) => (makesState(name) ? '' : `'./${name}.js'`) },
  { list: 'README.md', entryOf: (name) => `\`${name}(` },
];

/** Whether it makes a state. */
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
