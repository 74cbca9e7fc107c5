// The process of one contender: takes requests from contenders.mjs and answers them.
import { contender, reply } from './contender.mjs';

const [, , name] = process.argv;
let answers;

process.on('message', async (/** @type {any} */ request) => {
  process.send?.(await reply(() => (answers ??= contender(name)), request));
});
