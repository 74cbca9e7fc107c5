// An engine runs contenders. All have { name, version } and
//   start(contender, operation)         a contender with an operation, the reference among them; rejects where it cannot run
//   expect(index)                       computes what the results of a case must be
//   prepare(contender, index, floor)    sets a case up, runs it once and compares the result
//   measure(contender, milliseconds)    nanoseconds of one call
//   close()
import { startContender } from '../contenders.mjs';
import { checkResult } from '../harness.mjs';

/** A browser with the page open: the page does all of it. */
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

/** This Node, a process for each contender. */
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
