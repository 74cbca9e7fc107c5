// Puts the files that npm publishes into build/package. Its package.json is the root's without the fields that only a
// checkout can use, and with the addresses that follow from `repository`, which is set in the root's alone.
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

const FOLDER = 'build/package';
const FILES = ['dist', 'docs', 'README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md', 'LICENSE'];

const { scripts, devDependencies, allowScripts, ...published } = JSON.parse(readFileSync('package.json', 'utf8'));
const url = published.repository?.url.replace(/^git\+/, '').replace(/\.git$/, '');
const addresses = url === undefined ? {} : { homepage: `${url}#readme`, bugs: { url: `${url}/issues` } };

rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(FOLDER, { recursive: true });
for (const file of FILES) cpSync(file, `${FOLDER}/${file}`, { recursive: true });
writeFileSync(`${FOLDER}/package.json`, `${JSON.stringify({ ...published, ...addresses }, undefined, 2)}\n`);
