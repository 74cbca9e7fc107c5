// npm run docs: writes the API as pages into build/docs with typedoc, which is installed here. Fails if an exported
// function has no example, or if a link in a comment leads nowhere.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { install } from '../install.mjs';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const ROOT = fileURLToPath(new URL('../../', import.meta.url));

install('scripts/typedoc');
const json = 'build/docs.json';
const { status } = spawnSync(
  process.execPath,
  [
    join(HERE, 'node_modules/typedoc/bin/typedoc'),
    ...['--entryPoints', 'src/index.ts', '--tsconfig', 'tsconfig.json', '--readme', 'README.md'],
    ...['--out', 'build/docs', '--json', json, '--treatValidationWarningsAsErrors', '--excludeInternal'],
    ...['--validation.notExported', 'false', '--disableSources', '--skipErrorChecking'],
  ],
  { cwd: ROOT, stdio: 'inherit' },
);
if (status !== 0) process.exit(status ?? 1);

/** typedoc's number for functions. */
const FUNCTION = 64;
const { children } = JSON.parse(readFileSync(join(ROOT, json), 'utf8'));
const functions = children.filter(({ kind }) => kind === FUNCTION);
const hasExample = ({ signatures }) =>
  signatures.every(({ comment }) => comment?.blockTags?.some(({ tag }) => tag === '@example'));
const lacking = functions.filter((declared) => !hasExample(declared)).map(({ name }) => name);
console.log(`${functions.length} functions, without an example: ${lacking.join(', ') || 'none'}`);
process.exitCode = lacking.length > 0 ? 1 : 0;
