// An engine is where contenders run: a browser or this Node. Each has { name, version } and
//   start(contender, operation)         starts a contender, or the reference; rejects if it cannot run there
//   expect(index)                       computes the expected result of a case with the reference
//   prepare(contender, index, floor)    sets a case up, runs it once and compares the result
//   measure(contender, milliseconds)    nanoseconds of one call
//   close()
import { startContender } from '../contenders.mjs';
import { checkResult } from '../harness.mjs';

/** A browser that has opened the page; page.mjs answers these requests there. */
export function browserEngine(name, { version, request, close }) {
  const ask = async (what, details) => {
    const { answer, error } = JSON.parse(await request(JSON.stringify({ do: what, ...details })));
    if (error !== undefined) throw new Error(error);
    return answer;
  };
  return {
    name,
    version,
    start: (contender, operation) => ask('start', { contender, operation }),
    expect: (index) => ask('expect', { index }),
    prepare: (contender, index, floor) => ask('prepare', { contender, index, floor }),
    measure: (contender, milliseconds) => ask('measure', { contender, milliseconds }),
    close,
  };
}

/** This Node, with a process for each contender. */
export function nodeEngine() {
  const workers = new Map();
  let reference;
  return {
    name: 'Node',
    version: process.versions.node,
    async start(contender, operation) {
      workers.get(contender)?.stop();
      workers.set(contender, await startContender(contender, operation));
    },
    async expect(index) {
      reference = await workers.get('reference').ask('prepare', { index });
    },
    async prepare(contender, index, floor) {
      checkResult(contender, await workers.get(contender).ask('prepare', { index }), reference, floor);
    },
    measure: (contender, milliseconds) => workers.get(contender).ask('measure', { milliseconds }),
    async close() {
      for (const worker of workers.values()) worker.stop();
    },
  };
}
