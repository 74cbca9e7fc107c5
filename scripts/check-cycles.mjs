// Fails if files in src/ or assembly/ import each other in a cycle, even if only types: no file of a cycle can be
// understood without the others.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

const IMPORT = /^(?:import|export)\b[^'"]*?from ['"](\.[^'"]+)['"]|^import ['"](\.[^'"]+)['"]/gms;

function filesOf(folder) {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join(folder, file));
}

/** The files that a file imports: AssemblyScript names them without an ending, TypeScript with that of JavaScript. */
function importsOf(file) {
  return [...readFileSync(file, 'utf8').matchAll(IMPORT)]
    .map(([, from, effect]) => normalize(join(dirname(file), (from ?? effect).replace(/\.js$/, ''))))
    .map((path) => `${path}.ts`)
    .filter((path) => existsSync(path));
}

/** The first cycle that can be reached from a file, as its files in order. */
function findCycle(file, graph, path, done) {
  if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
  if (done.has(file)) return undefined;
  for (const imported of graph.get(file)) {
    const cycle = findCycle(imported, graph, [...path, file], done);
    if (cycle !== undefined) return cycle;
  }
  done.add(file);
}

const files = ['src', 'assembly'].flatMap(filesOf);
const graph = new Map(files.map((file) => [file, importsOf(file)]));
const done = new Set();
for (const file of files) {
  const cycle = findCycle(file, graph, [], done);
  if (cycle === undefined) continue;
  console.error(`import cycle: ${cycle.join(' → ')}`);
  process.exitCode = 1;
}
if (process.exitCode === undefined) console.log(`${files.length} files, no import cycles`);
