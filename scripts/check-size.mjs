// Fails if something has outgrown its budget: the gzipped bytes of each module and of bundles for the browser, from
// single functions to the whole package. 1 KB is 1000 bytes; gzip at its default level.
import { readFileSync } from 'node:fs';
import { bundle, gzipped } from './size.mjs';

const rows = [
  { what: 'dist/simd128.wasm', budget: 53.8, bytes: readFileSync('dist/simd128.wasm') },
  { what: 'dist/relaxed-simd.wasm', budget: 52.5, bytes: readFileSync('dist/relaxed-simd.wasm') },
  { what: 'softmax alone', budget: 33.4, bytes: await bundle('{ softmax }') },
  { what: 'argmax, topK', budget: 26.2, bytes: await bundle('{ argmax, topK }') },
  { what: 'softmax, crossEntropyWithGrad', budget: 53.4, bytes: await bundle('{ softmax, crossEntropyWithGrad }') },
  { what: 'crossEntropyWithGrad', budget: 43.3, bytes: await bundle('{ crossEntropyWithGrad }') },
  { what: 'logSoftmax', budget: 34, bytes: await bundle('{ logSoftmax }') },
  { what: 'softmax, logSoftmax', budget: 41.5, bytes: await bundle('{ softmax, logSoftmax }') },
  { what: 'everything', budget: 116.8, bytes: await bundle() },
].map(({ what, budget, bytes }) => ({ what, budget, plain: bytes.length / 1000, gzip: gzipped(bytes) / 1000 }));

const columns = (what, ...figures) => what.padEnd(30) + figures.map((figure) => String(figure).padStart(9)).join('');
console.log(columns('KB', 'plain', 'gzipped', 'budget'));
for (const { what, plain, gzip, budget } of rows) {
  console.log(columns(what, plain.toFixed(1), gzip.toFixed(1), budget), gzip > budget ? ' too large' : '');
}
process.exitCode = rows.some(({ gzip, budget }) => gzip > budget) ? 1 : 0;
