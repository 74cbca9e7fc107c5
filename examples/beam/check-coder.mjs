// Checks that accumulators survive a round trip through Beam's coder. Runners send them from worker to worker with it,
// but the direct runner, on which the pipelines are tested, does not.
import { strictEqual } from 'node:assert';
import { join } from 'node:path';
import { Context } from 'apache-beam/coders/coders';
import { GeneralObjectCoder } from 'apache-beam/coders/js_coders';
import protobuf from 'protobufjs';
import functions from './functions.cjs';
import { readOptions } from './options.mjs';

const { folder } = readOptions();
const [shards, slices] = ['shards', 'slices'].map((name) => join(folder, name));
const accumulators = {
  evaluation: functions.evaluateShard({
    logits: join(shards, '00.logits.npy'),
    labels: join(shards, '00.labels.npy'),
  }),
  'cross-entropy': functions.addClasses({
    logits: join(slices, '000000.logits.npy'),
    targets: join(slices, 'targets.npy'),
    offset: 0,
  }),
  empty: [functions.mergeLoss.createAccumulator()],
};

const coder = new GeneralObjectCoder();
for (const [name, accumulator] of Object.entries(accumulators)) {
  const writer = new protobuf.Writer();
  coder.encode(accumulator, writer, Context.needsDelimiters);
  const bytes = writer.finish();
  const decoded = coder.decode(new protobuf.Reader(bytes), Context.needsDelimiters);
  strictEqual(JSON.stringify(decoded), JSON.stringify(accumulator), name);
  console.log(`${name}: ${bytes.length} bytes in Beam's coder, the same again`);
}
