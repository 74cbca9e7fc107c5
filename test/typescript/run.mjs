// npm run test:typescript: packs the package and compiles a program against its declarations, all of which are checked,
// with each version of TypeScript, without the types of browsers and of Node.
import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { install } from '../../scripts/install.mjs';
import { installPacked } from '../support/packed.mjs';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const WORK = join(HERE, 'work');

const EXACT = { strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true };
const NODE10 = { module: 'commonjs', moduleResolution: 'node10' };
const SETTINGS = {
  nodenext: { ...EXACT, module: 'nodenext', moduleResolution: 'nodenext' },
  bundler: { strict: true, module: 'esnext', moduleResolution: 'bundler' },
  node10: { strict: true, ...NODE10 },
};

/** The errors that a version reports for the program with these settings; empty if there are none. */
function compile(version, name, settings) {
  // From 6.0 on, node10 also needs the option that silences its deprecation.
  const deprecated = name === 'node10' && version.startsWith('6') ? { ignoreDeprecations: '6.0' } : {};
  const options = { lib: ['es2022'], types: [], target: 'es2022', noEmit: true, skipLibCheck: false };
  const compilerOptions = { ...options, ...settings, ...deprecated };
  writeFileSync(join(WORK, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['use.ts'] }));
  const tsc = join(HERE, `node_modules/typescript-${version}/bin/tsc`);
  return spawnSync(process.execPath, [tsc, '-p', '.'], { cwd: WORK, encoding: 'utf8' }).stdout.trim();
}

install('test/typescript');
installPacked(WORK);
cpSync(join(HERE, 'use.ts'), join(WORK, 'use.ts'));
const { dependencies } = JSON.parse(readFileSync(join(HERE, 'package.json'), 'utf8'));
for (const dependency of Object.keys(dependencies)) {
  const version = dependency.replace('typescript-', '');
  for (const [name, settings] of Object.entries(SETTINGS)) {
    const problems = compile(version, name, settings);
    console.log(`TypeScript ${version}, ${name}: ${problems === '' ? 'compiles' : problems}`);
    if (problems !== '') process.exitCode = 1;
  }
}
