import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** JavaScript written by hand: what the others are compared with. */
export const PLAIN = 'plain JavaScript';
export const CONTENDERS = [PLAIN, 'reference', 'simd128', 'relaxed-simd'];

/** Node 20 has relaxed SIMD behind a flag. */
const FLAGS = Number.parseInt(process.versions.node, 10) < 22 ? ['--experimental-wasm-relaxed-simd'] : [];
const PROGRAM = fileURLToPath(new URL('worker.mjs', import.meta.url));

/** One contender in a process of its own. */
export class Worker {
  constructor(name) {
    this.name = name;
    this.child = fork(PROGRAM, [name], { execArgv: FLAGS, serialization: 'advanced' });
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
