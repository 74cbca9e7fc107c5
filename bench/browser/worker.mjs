// A worker of the page: answers the requests to one contender.
import { createKernels } from 'softmax-wasm';
import { contender, reply } from '../contender.mjs';

let answers;

self.addEventListener('message', async ({ data: request }) => {
  self.postMessage(await reply(() => (answers ??= contender(self.name, createKernels)), request));
});
