// The protocol of every worker, including pytorch.py. Requests come on stdin, and replies, { answer } or { error }, go
// to file descriptor 3. Each is a line of JSON.
//   { do: 'start' }                            → { version }
//   { do: 'prepare', operation, label, shape } → { result }, float32 in base64, of one call
//   { do: 'measure', milliseconds }            → { nanoseconds } of one call
import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { Stopwatch } from '../../stopwatch.mjs';

/**
 * @typedef {{ operation: string, label: string, shape: [rows: number, n: number] }} Case
 * @typedef {{ run(): unknown, result(): any, dispose?(): void }} Task
 *   run() does the work once, and may return a promise; result() returns the array that it computes.
 */

/**
 * Makes this process the worker of a peer.
 * @param {() => Promise<{ version: string, prepare(example: Case): Task | undefined | Promise<Task | undefined> }>} load
 *   prepare returns undefined if the peer lacks the operation
 */
export function serve(load) {
  let peer;
  /** @type {Task | undefined} */
  let task;
  let stopwatch;
  const answers = {
    async start() {
      peer = await load();
      return { version: peer.version };
    },

    async prepare(example) {
      task?.dispose?.();
      task = await peer.prepare(example);
      if (task === undefined) return {};
      await task.run();
      stopwatch = new Stopwatch(task.run);
      // Indices are exact as float32 up to 2^24.
      const { buffer, byteOffset, byteLength } = Float32Array.from(await task.result(), Number);
      return { result: Buffer.from(buffer, byteOffset, byteLength).toString('base64') };
    },

    async measure({ milliseconds }) {
      return { nanoseconds: await stopwatch.measure(milliseconds) };
    },
  };

  const replies = createWriteStream('', { fd: 3 });
  createInterface({ input: process.stdin })
    .on('line', async (line) => {
      const request = JSON.parse(line);
      let reply;
      try {
        reply = { answer: await answers[request.do](request) };
      } catch (error) {
        reply = { error: String(error?.message ?? error) };
      }
      replies.write(`${JSON.stringify(reply)}\n`);
    })
    .on('close', () => process.exit());
}
