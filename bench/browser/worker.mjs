// A worker of the page, with an engine's memory of its own: answers one contender's requests.
import { createKernels } from 'softmax-wasm';
import { contender, reply } from '../contender.mjs';

let answers;

self.addEventListener('message', async ({ data: request }) => {
  self.postMessage(await reply(() => (answers ??= contender(self.name, createKernels)), request));
});
