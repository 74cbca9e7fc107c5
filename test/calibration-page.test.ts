import { expect, test } from 'vitest';
import * as library from '../src/index.js';
import { numbers } from './support/cases.js';
import { runDocumented } from './support/documentation.js';
import { readText } from './support/platform.js';

const [rows, classes] = [40, 3];
const logits = numbers('float32', rows * classes, 'within ±8', 1);
const predicted = library.argmax(logits, { shape: [rows, classes] });
// Every other row is right, so that there is a temperature to find.
const labels = predicted.map((best, row) => (row % 2 === 0 ? best : (best + 1) % classes));

test('the programs of docs/calibration.md run', async () => {
  const page = await readText('docs/calibration.md');
  const programs = [...page.matchAll(/```js\n([\s\S]*?)```/g)].map(([, text]) => text!.trim().split('\n'));
  expect(programs).toHaveLength(4);
  const shards = [{ logits, labels }];
  const names = { ...library, rows, classes, logits, labels, shards, heldOutLogits: logits, heldOutLabels: labels };
  for (const lines of programs) await runDocumented({ name: 'page', lines }, names);
});
