// Reports what prevents this checkout from being published. It is not part of `npm run check`, because only a release
// needs all of it.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const { version, repository } = JSON.parse(readFileSync('package.json', 'utf8'));
const problems = [];
if (!/^git\+https:\/\/.+\.git$/.test(repository?.url ?? '')) {
  problems.push('package.json: repository is missing, expected { "type": "git", "url": "git+https://….git" }');
}
if (!readFileSync('CHANGELOG.md', 'utf8').includes(`## ${version}`)) {
  problems.push(`CHANGELOG.md: there is no section for ${version}`);
}
if (execFileSync('git', ['status', '--porcelain'], { encoding: 'utf8' }) !== '') {
  problems.push('there are changes that are not committed');
}
for (const problem of problems) console.error(`release: ${problem}`);
process.exitCode = problems.length > 0 ? 1 : 0;
