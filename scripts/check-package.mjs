// Packs the package as npm would publish it. Fails if it lacks a needed file, such as one that the README links to,
// contains an unexpected one, or does not pass publint and @arethetypeswrong/cli.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const linked = [...readFileSync('README.md', 'utf8').matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, path]) => path);
const NEEDED = [
  ...linked,
  ...['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md', 'docs/performance.md'],
  ...['dist/simd128.wasm', 'dist/relaxed-simd.wasm', 'dist/bare.js', 'dist/softmax-wasm.min.js', 'dist/node/index.js'],
];
const ALLOWED = /^(package\.json|LICENSE|[A-Z]+\.md|dist\/.*\.(js|d\.ts|wasm)|docs\/\w[\w-]*\.(md|svg|png))$/;

const run = (command, ...args) => execFileSync(command, args, { stdio: 'inherit' });

const folder = mkdtempSync(join(tmpdir(), 'softmax-wasm-check-'));
try {
  run(process.execPath, 'scripts/stage.mjs');
  const packed = execFileSync('npm', ['pack', '--json', '--pack-destination', folder], {
    cwd: 'build/package',
    encoding: 'utf8',
  });
  const [{ filename, files, size, unpackedSize }] = JSON.parse(packed);
  const paths = files.map(({ path }) => path);
  const missing = NEEDED.filter((path) => !paths.includes(path));
  const unexpected = paths.filter((path) => !ALLOWED.test(path));
  if (missing.length > 0) throw new Error(`the package lacks ${missing.join(', ')}`);
  if (unexpected.length > 0) throw new Error(`the package holds ${unexpected.join(', ')}`);
  console.log(`${filename}: ${paths.length} files, ${size} bytes packed, ${unpackedSize} unpacked`);

  const tarball = join(folder, filename);
  run('node_modules/.bin/publint', 'run', tarball, '--strict');
  // The .wasm exports are files to compile, not modules with types.
  const modules = ['simd128.wasm', 'relaxed-simd.wasm'];
  run('node_modules/.bin/attw', tarball, '--profile', 'esm-only', '--no-emoji', '--exclude-entrypoints', ...modules);
} finally {
  rmSync(folder, { recursive: true });
}
