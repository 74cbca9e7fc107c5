// The process of one contender: answers requests from contenders.mjs. The library is that of this checkout, or of the
// built checkout that the second argument names.
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
