// An operation is a file of one name in each of five folders and an entry in each of three lists: says what is missing.
// One whose file in src/ops/ defines no kernel is plain TypeScript, and has nothing to compile, to fall back on or to time.
import { existsSync, readdirSync, readFileSync } from 'node:fs';

const FILES = [(name) => `src/ops/${name}.ts`, (name) => `test/operations/${name}.ts`];
const KERNEL_FILES = [
  (name) => `assembly/kernels/${name}.ts`,
  (name) => `src/reference/${name}.ts`,
  (name) => `bench/${name}.bench.mjs`,
];
const LISTS = [
  { list: 'src/functions.ts', entryOf: (name) => `'./ops/${name}.js'` },
  { list: 'src/operations.ts', entryOf: (name) => `'./ops/${name}.js'` },
];
const FAMILIES = readdirSync('assembly/families').map((file) => readFileSync(`assembly/families/${file}`, 'utf8'));
/** Kernels that operations use and nobody calls. */
const PARTS = ['transpose'];

const namesIn = (folder, ending) =>
  readdirSync(folder)
    .filter((file) => file.endsWith(ending))
    .map((file) => file.slice(0, -ending.length));

function hasKernel(name) {
  const file = `src/ops/${name}.ts`;
  return !existsSync(file) || readFileSync(file, 'utf8').includes('defineKernel');
}

const names = new Set([
  ...namesIn('assembly/kernels', '.ts').filter((name) => !PARTS.includes(name)),
  ...namesIn('src/ops', '.ts'),
  ...namesIn('bench', '.bench.mjs'),
]);
const missing = [...names].flatMap((name) => {
  const files = hasKernel(name) ? [...FILES, ...KERNEL_FILES] : FILES;
  const isInFamily = !hasKernel(name) || FAMILIES.some((list) => list.includes(`"../kernels/${name}"`));
  return [
    ...(isInFamily ? [] : [`"../kernels/${name}" in assembly/families/`]),
    ...files.map((fileOf) => fileOf(name)).filter((file) => !existsSync(file)),
    ...LISTS.filter(({ list, entryOf }) => !readFileSync(list, 'utf8').includes(entryOf(name))).map(
      ({ list, entryOf }) => `${entryOf(name)} in ${list}`,
    ),
  ];
});
for (const what of missing) console.error(`missing: ${what}`);
console.log(`${names.size} operations, ${missing.length} things missing`);
process.exitCode = missing.length > 0 ? 1 : 0;
