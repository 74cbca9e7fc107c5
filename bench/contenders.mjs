import { execFileSync, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { PLAIN } from './contender.mjs';

export const BACKENDS = ['simd128', 'relaxed-simd'];
export const CONTENDERS = [PLAIN, 'reference', ...BACKENDS];

/** Node 20 has relaxed SIMD behind a flag. */
export const flagsOf = (version) => (Number.parseInt(version, 10) < 22 ? ['--experimental-wasm-relaxed-simd'] : []);
const THIS_NODE = { path: process.execPath, node: process.versions.node };
const programOf = (file) => fileURLToPath(new URL(file, import.meta.url));

/** One contender in a process of its own, with the library of another checkout if one is given. */
export class Worker {
  constructor(name, checkout) {
    this.name = name;
    this.child = fork(programOf('worker.mjs'), checkout === undefined ? [name] : [name, checkout], {
      execArgv: flagsOf(THIS_NODE.node),
      serialization: 'advanced',
    });
  }

  /** Gives the worker the operation to run. What keeps it from doing so is returned, and ends it. */
  async start(operation) {
    try {
      await this.#ask({ do: 'start', operation });
    } catch (error) {
      this.stop();
      return error.message;
    }
  }

  /** Sets a case up and runs it once: the result. */
  prepare(index) {
    return this.#ask({ do: 'prepare', index });
  }

  /** Nanoseconds of one call. */
  measure(milliseconds) {
    return this.#ask({ do: 'measure', milliseconds });
  }

  /** The bytes of its linear memory. */
  memory() {
    return this.#ask({ do: 'memory' });
  }

  stop() {
    this.child.kill();
  }

  #ask(message) {
    return new Promise((resolve, reject) => {
      const ended = (code) => reject(new Error(`ended with ${code}`));
      this.child.once('exit', ended);
      this.child.once('message', (/** @type {any} */ { error, answer }) => {
        this.child.off('exit', ended);
        if (error === undefined) resolve(answer);
        else reject(new Error(error));
      });
      this.child.send(message);
    });
  }
}

/** Milliseconds of the import and of the first call, in a new process. @returns {{ import: number, call: number }} */
export function firstCall(backend, { path, node } = THIS_NODE) {
  const arguments_ = [...flagsOf(node), programOf('first-call.mjs'), backend];
  return JSON.parse(execFileSync(path, arguments_, { encoding: 'utf8' }));
}
