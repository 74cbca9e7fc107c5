// npm run bench:browser -- [operation …] [--case TEXT …] [--browser NAME …] [--quick] [--json FILE]
//
// Times the cases of `npm run bench` in headless browsers and, for comparison, in this Node. Every backend runs in a
// worker of its own, the rounds of all backends and engines take turns, and results are compared with the reference
// before anything is timed.
import { demandKnown, parseCommand, saveJson } from '../command.mjs';
import { PLAIN } from '../contender.mjs';
import { BACKENDS } from '../contenders.mjs';
import { describeMachine } from '../machine.mjs';
import { bestOf, takeTurns } from '../rounds.mjs';
import { progress } from '../table.mjs';
import { BROWSERS } from './browsers.mjs';
import { browserEngine, nodeEngine } from './engines.mjs';
import { printCase, printHeader } from './report.mjs';
import { serve } from './server.mjs';

const CONTENDERS = [PLAIN, ...BACKENDS];

const {
  options,
  operations,
  rounds: ROUNDS,
  roundMilliseconds,
  isWanted,
} = parseCommand({ browser: { type: 'string', multiple: true, default: Object.keys(BROWSERS) } });
demandKnown('browser', options.browser, Object.keys(BROWSERS));

const machine = describeMachine();
console.log(`${machine.cpu}, ${machine.platform}`);
console.log(
  `Time of a call: the best of ${ROUNDS.least} to ${ROUNDS.most} rounds, each the median of its samples. float32, one thread.`,
);
console.log('Last, the slowest engine and how many times the time of the fastest it takes.');

const server = await serve();
/** Why a browser, or a contender in an engine, cannot run here, by its name. */
const absent = {};
const engines = await openEngines();
const results = [];
try {
  for (const operation of operations) await runOperation(operation);
} finally {
  for (const engine of engines) await problemOf(engine.close());
  server.close();
}
if (options.json !== undefined) {
  const versions = Object.fromEntries(engines.map(({ name, version }) => [name, version]));
  saveJson(options.json, { machine, date: new Date().toISOString(), quick: options.quick, versions, absent, results });
}

/** Opens the engines that can run here, and reports the others. */
async function openEngines() {
  const opened = [nodeEngine()];
  for (const name of options.browser) {
    progress(`starting ${name}`);
    const problem = await problemOf(
      BROWSERS[name](server.url).then((browser) => opened.push(browserEngine(name, browser))),
    );
    if (problem) note(name, problem);
  }
  progress('');
  return opened;
}

async function runOperation(/** @type {string} */ operation) {
  const { default: bench } = await import(`../${operation}.bench.mjs`);
  const started = await startContenders(operation);

  printHeader(operation, engines);
  const cases = bench.cases.filter(isWanted);
  for (const [done, example] of cases.entries()) {
    const { label, elements } = example;
    const index = bench.cases.indexOf(example);
    const say = (what) => progress(`${operation} ${done + 1}/${cases.length}: ${label}, ${what}`);
    const cells = started.map((it) => ({ ...it, rounds: /** @type {number[]} */ ([]), problem: '' }));
    for (const engine of engines) {
      say(`reference in ${engine.name}`);
      const problem = await problemOf(engine.expect(index));
      for (const cell of cells) if (cell.engine === engine) cell.problem = problem;
    }
    for (const cell of cells) {
      say(`checking ${cell.contender} in ${cell.engine.name}`);
      await attempt(cell, () => cell.engine.prepare(cell.contender, index, bench.floor));
    }
    const measure = ({ contender, engine }, round) => {
      say(`round ${round}, ${contender} in ${engine.name}`);
      return engine.measure(contender, roundMilliseconds);
    };
    await takeTurns(cells, measure, ROUNDS);
    progress('');
    const lines = cells.map(({ engine, contender, rounds, problem }) => {
      const place = { operation, case: label, elements, contender, engine: engine.name };
      return problem ? { ...place, problem } : { ...place, ...bestOf(rounds) };
    });
    printCase(label, lines, engines);
    results.push(...lines);
  }
}

/** Starts the contenders and the reference in each engine where they can run, and reports the others once. */
async function startContenders(operation) {
  const started = [];
  for (const engine of engines) {
    for (const contender of ['reference', ...CONTENDERS]) {
      const place = `${contender} in ${engine.name}`;
      if (place in absent) continue;
      progress(`starting ${place}`);
      const problem = await problemOf(engine.start(contender, operation));
      if (!problem) started.push({ engine, contender });
      else note(place, problem);
    }
  }
  return started.filter(({ contender }) => contender !== 'reference');
}

/** Does a step for a cell of the table unless an earlier step failed. The reason of a failure becomes its problem. */
async function attempt(cell, step) {
  if (!cell.problem) cell.problem = await problemOf(step());
}

/** The reason why something failed; empty if it succeeded. */
async function problemOf(/** @type {Promise<unknown>} */ promise) {
  try {
    await promise;
    return '';
  } catch ({ message }) {
    return message.split('\n')[0];
  }
}

function note(what, problem) {
  absent[what] = problem;
  progress('');
  console.log(`${what} does not run here: ${problem}`);
}
