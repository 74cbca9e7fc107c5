// Refuses what has grown past its budget: gzipped bytes of each module and of what a browser loads, which is all of the
// package or what is left of it beside softmax alone. 1 KB is 1000 bytes; gzip at its usual level.
import { readFileSync } from 'node:fs';
import { bundle, gzipped } from './size.mjs';

const rows = [
  { what: 'dist/simd128.wasm', budget: 32, bytes: readFileSync('dist/simd128.wasm') },
  { what: 'dist/relaxed-simd.wasm', budget: 32, bytes: readFileSync('dist/relaxed-simd.wasm') },
  { what: 'bundle of everything', budget: 60, bytes: await bundle() },
  { what: 'bundle of softmax alone', budget: 49, bytes: await bundle('{ softmax }') },
].map(({ what, budget, bytes }) => ({ what, budget, plain: bytes.length / 1000, gzip: gzipped(bytes) / 1000 }));

const columns = (what, ...figures) => what.padEnd(24) + figures.map((figure) => String(figure).padStart(9)).join('');
console.log(columns('KB', 'plain', 'gzipped', 'budget'));
for (const { what, plain, gzip, budget } of rows) {
  console.log(columns(what, plain.toFixed(1), gzip.toFixed(1), budget), gzip > budget ? ' too large' : '');
}
process.exitCode = rows.some(({ gzip, budget }) => gzip > budget) ? 1 : 0;
