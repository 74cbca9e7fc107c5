// npm run test:beam: installs Apache Beam if it is missing, makes the shards and runs both pipelines on the direct
// runner. A pipeline fails if its results differ from those of a single call on all data.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { install } from '../../scripts/install.mjs';

const HERE = fileURLToPath(new URL('.', import.meta.url));

function run(program, ...args) {
  const { status } = spawnSync(program, args, { cwd: HERE, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

/** Why the pipelines cannot run in this Node; undefined if they can. */
function whyNot(require) {
  if (require('node:util').isPrimitive === undefined) return 'Apache Beam 2.49 runs in Node 22 or earlier';
  try {
    require('softmax-wasm');
  } catch (error) {
    if (error.code !== 'ERR_REQUIRE_ESM') throw error;
    return 'Node 20.19, 22.12 and later can require ES modules';
  }
}

install('examples/beam');
const problem = whyNot(createRequire(import.meta.url));
if (problem !== undefined) {
  console.log(`skipped: ${problem}, and this is Node ${process.versions.node}`);
  process.exit();
}
for (const program of ['make-shards.mjs', 'check-coder.mjs', 'evaluate.mjs', 'vocabulary.mjs']) {
  run(process.execPath, program);
}
