import { execFileSync, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { PLAIN } from './contender.mjs';

export const BACKENDS = ['simd128', 'relaxed-simd'];
export const CONTENDERS = [PLAIN, 'reference', ...BACKENDS];

/** Node 20 has relaxed SIMD behind a flag. */
export const flagsOf = (version) => (Number.parseInt(version, 10) < 22 ? ['--experimental-wasm-relaxed-simd'] : []);
const THIS_NODE = { path: process.execPath, node: process.versions.node };

/** A program in a process of its own. It answers one request at a time, with `reply` of contender.mjs. */
export class Worker {
  #child;

  constructor(name, program, arguments_) {
    this.name = name;
    this.#child = fork(program, arguments_, { execArgv: flagsOf(THIS_NODE.node), serialization: 'advanced' });
  }

  /** @throws Error if the program answers with an error, or ends */
  ask(what, details = {}) {
    return new Promise((resolve, reject) => {
      const ended = (code) => reject(new Error(`ended with ${code}`));
      this.#child.once('exit', ended);
      this.#child.once('message', (/** @type {any} */ { error, answer }) => {
        this.#child.off('exit', ended);
        if (error === undefined) resolve(answer);
        else reject(new Error(error));
      });
      this.#child.send({ do: what, ...details });
    });
  }

  stop() {
    this.#child.kill();
  }
}

/**
 * Starts a contender with an operation, using the library of another checkout if one is given.
 * @throws Error if it cannot run here
 */
export async function startContender(name, operation, checkout) {
  const program = new URL('worker.mjs', import.meta.url);
  const worker = new Worker(name, program, checkout === undefined ? [name] : [name, checkout]);
  try {
    await worker.ask('start', { operation });
  } catch (error) {
    worker.stop();
    throw error;
  }
  return worker;
}

/** Starts the contenders that can run here, and reports the others. */
export async function startContenders(names, operation) {
  const starting = names.map((name) => startContender(name, operation));
  const started = await Promise.allSettled(starting);
  for (const [i, one] of started.entries()) {
    if (one.status === 'rejected') console.log(`${names[i]} does not run here: ${one.reason.message}`);
  }
  return started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
}

/** Milliseconds of the import and of the first call, in a new process. @returns {{ import: number, call: number }} */
export function firstCall(backend, { path, node } = THIS_NODE) {
  const arguments_ = [...flagsOf(node), fileURLToPath(new URL('first-call.mjs', import.meta.url)), backend];
  return JSON.parse(execFileSync(path, arguments_, { encoding: 'utf8' }));
}
