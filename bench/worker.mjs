// The process of one contender: takes requests from contenders.mjs and answers them. The library is this one, or the
// one that was built in the checkout named by the second argument.
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { contender, reply } from './contender.mjs';

const [, , name, checkout] = process.argv;
let answers;

async function load() {
  const library = checkout === undefined ? 'softmax-wasm' : pathToFileURL(resolve(checkout, 'dist/index.js')).href;
  const { createKernels } = await import(library);
  return contender(name, createKernels);
}

process.on('message', async (/** @type {any} */ request) => {
  process.send?.(await reply(() => (answers ??= load()), request));
});
