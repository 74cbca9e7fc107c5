import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const DIST = new URL('../dist/', import.meta.url).pathname;

/** A minified bundle of the named functions, or of everything. */
export async function bundle(names = '*') {
  const { outputFiles } = await build({
    stdin: { contents: `export ${names} from './index.js';`, resolveDir: DIST },
    bundle: true,
    minify: true,
    format: 'esm',
    write: false,
  });
  return outputFiles[0].contents;
}

/** Bytes at gzip's default level. */
export const gzipped = (bytes) => gzipSync(bytes).length;
