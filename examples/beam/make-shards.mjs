// Writes the .npy files that the pipelines read into work/: the logits and labels of an overconfident classifier, in
// shards of rows; and those of a language model with a large vocabulary, in slices of classes.
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createRandom, normal } from '../lib/random.mjs';
import npy from './npy.cjs';
import { readOptions } from './options.mjs';

const SHARDS = 16;
const CLASSES = 50;
/** The number of rows in a shard: each shard has another one. */
const rowsOf = (shard) => 400 + 17 * shard;

const SLICES = 8;
const VOCABULARY = 16_000;
const TOKENS = 32;

const { folder } = readOptions();
const random = createRandom(1);
rmSync(folder, { recursive: true, force: true });
for (const name of ['shards', 'slices']) mkdirSync(join(folder, name), { recursive: true });

for (let shard = 0; shard < SHARDS; shard++) {
  const rows = rowsOf(shard);
  const logits = Float32Array.from({ length: rows * CLASSES }, () => 2 * normal(random));
  const labels = Int32Array.from({ length: rows }, () => Math.floor(CLASSES * random()));
  // Two of three rows more or less predict their label.
  labels.forEach((label, row) => {
    if (random() < 2 / 3) logits[row * CLASSES + label] += 4 + 8 * random();
  });
  const name = join(folder, 'shards', String(shard).padStart(2, '0'));
  npy.writeNpy(`${name}.logits.npy`, logits, [rows, CLASSES]);
  npy.writeNpy(`${name}.labels.npy`, labels, [rows]);
}

const targets = Int32Array.from({ length: TOKENS }, () => Math.floor(VOCABULARY * random()));
npy.writeNpy(join(folder, 'slices', 'targets.npy'), targets, [TOKENS]);
const n = VOCABULARY / SLICES;
for (let slice = 0; slice < SLICES; slice++) {
  const logits = Float32Array.from({ length: TOKENS * n }, () => 3 * normal(random));
  const offset = slice * n;
  npy.writeNpy(join(folder, 'slices', `${String(offset).padStart(6, '0')}.logits.npy`), logits, [TOKENS, n]);
}
