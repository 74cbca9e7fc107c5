// The process of one contender: takes requests from contenders.mjs and answers them. The library is this one, or the
// one that was built in the checkout named by the second argument.
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { contender, reply } from './contender.mjs';

const [, , name, checkout] = process.argv;
const library =
  checkout === undefined ? import('softmax-wasm') : import(pathToFileURL(resolve(checkout, 'dist/index.js')).href);
let answers;

process.on('message', async (/** @type {any} */ request) => {
  const { createKernels } = await library;
  process.send?.(await reply(() => (answers ??= contender(name, createKernels)), request));
});
