import { fork } from 'node:child_process';
import { describe, expect, test } from 'vitest';

interface Result {
  name: string;
  status: 'passed' | 'failed';
  why: string | undefined;
}

/** Runs the specs of tfjs-core in a process of their own. */
function runSpecs(backend: string, mode: 'with' | 'without'): Promise<Result[]> {
  return new Promise((resolve, reject) => {
    const child = fork(new URL('specs.mjs', import.meta.url), [backend, mode], { silent: true });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream!.on('data', (text) => (output += text));
    child.on('message', (results) => resolve(results as Result[]));
    child.on('exit', (code) => reject(new Error(`the specs ended with ${code}:\n${output}`)));
  });
}

const countPassed = (results: Result[]) => results.filter(({ status }) => status === 'passed').length;

describe.each(['wasm', 'cpu'])("tfjs-core's own specs on %s", (backend) => {
  test('those that pass without softmax-wasm pass with it', async () => {
    const before = await runSpecs(backend, 'without');
    const after = await runSpecs(backend, 'with');
    expect(after.map(({ name }) => name).sort()).toEqual(before.map(({ name }) => name).sort());
    const passed = new Set(before.filter(({ status }) => status === 'passed').map(({ name }) => name));
    expect(passed.size).toBeGreaterThan(200);
    expect(after.filter(({ name, status }) => status === 'failed' && passed.has(name))).toEqual([]);
    console.log(
      `${backend}: ${before.length} specs, ${countPassed(before)} pass without, ${countPassed(after)} with softmax-wasm`,
    );
  });
});
