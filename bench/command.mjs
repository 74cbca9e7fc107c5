// Shared by the commands: parsing of arguments, and writing of files.
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';

/** The most elements of a case that a quick run includes. */
const QUICK_ELEMENTS = 300_000;

/** Parses [operation …] [--case TEXT …] [--quick] [--json FILE], and the options that only this command has. */
export function parseCommand(ownOptions = {}) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      case: { type: 'string', multiple: true, default: [''] },
      quick: { type: 'boolean', default: false },
      json: { type: 'string' },
      ...ownOptions,
    },
  });
  const options = /** @type {any} */ (values);
  return {
    options,
    operations: chooseOperations(positionals),
    /** Whether to print only one line for each operation. */
    isGlance: options.quick && positionals.length === 0,
    /** How many rounds a case gets at least and at most. */
    rounds: options.quick ? { least: 2, most: 2 } : { least: 5, most: 15 },
    roundMilliseconds: options.quick ? 20 : 120,
    isWanted: ({ label, elements }) =>
      options.case.some((text) => label.startsWith(text)) && (!options.quick || elements <= QUICK_ELEMENTS),
  };
}

/** The operations named, or all that have a benchmark. */
function chooseOperations(names) {
  const operations = readdirSync(new URL('.', import.meta.url))
    .filter((file) => file.endsWith('.bench.mjs'))
    .map((file) => file.slice(0, -'.bench.mjs'.length));
  demandKnown('benchmark of', names, operations);
  return names.length > 0 ? names : operations;
}

/** Ends the program with an error if a name is unknown. */
export function demandKnown(what, names, known) {
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length === 0) return;
  console.error(`no ${what} ${unknown.join(', ')}; there are ${known.join(', ')}`);
  process.exit(1);
}

export const saveJson = (file, report) => save(file, `${JSON.stringify(report, null, 1)}\n`);

export function save(file, content) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  console.log(`\nwritten to ${file}`);
}
