// Bundles an entry for production with each bundler, into text that runs by itself.
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const BIN = fileURLToPath(new URL('node_modules/.bin/', import.meta.url));

/** Runs a program of this folder's packages. @throws Error with its output if it fails */
export async function runTool(name, args, cwd) {
  const env = { ...process.env, NODE_ENV: 'production', NEXT_TELEMETRY_DISABLED: '1', PARCEL_WORKERS: '1' };
  return (await promisify(execFile)(BIN + name, args, { cwd, env })).stdout;
}

/** The code of all files below a folder. */
export function codeIn(folder) {
  return readdirSync(folder, { recursive: true })
    .filter((name) => /\.m?js$/.test(name))
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('\n');
}

async function esbuild(entry) {
  const { build } = await import('esbuild');
  const options = { bundle: true, minify: true, format: 'esm', write: false };
  const { outputFiles } = await build({ entryPoints: [entry], ...options });
  return outputFiles[0].text;
}

async function rollup(entry) {
  const [{ rollup: roll }, { nodeResolve }, { transform }] = await Promise.all([
    import('rollup'),
    import('@rollup/plugin-node-resolve'),
    import('esbuild'),
  ]);
  const { output } = await (await roll({ input: entry, plugins: [nodeResolve()] })).generate({ format: 'es' });
  // Rollup does not minify by itself.
  return (await transform(output[0].code, { minify: true, format: 'esm' })).code;
}

async function vite(entry, folder) {
  const { build } = await import('vite');
  const outDir = join(folder, 'vite');
  await build({ root: folder, logLevel: 'error', build: { outDir, rollupOptions: { input: entry } } });
  return codeIn(outDir);
}

async function webpack(entry, folder) {
  const { default: pack } = await import('webpack');
  const path = join(folder, 'webpack');
  // webpack warns of bundles above 244 KiB before gzip, such as this one; scripts/check-size.mjs checks sizes.
  const performance = { hints: false };
  const target = ['web', 'es2022'];
  const compiler = pack({ mode: 'production', target, performance, context: folder, entry, output: { path } });
  const stats = await promisify(compiler.run.bind(compiler))();
  if (stats.hasErrors() || stats.hasWarnings()) throw new Error(stats.toString());
  return codeIn(path);
}

async function parcel(entry, folder) {
  const path = join(folder, 'parcel');
  await runTool('parcel', ['build', entry, '--dist-dir', path, '--no-cache', '--no-source-maps'], folder);
  return codeIn(path);
}

export const bundlers = { esbuild, rollup, vite, webpack, parcel };
