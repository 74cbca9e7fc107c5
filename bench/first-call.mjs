// How long a program waits for its first result, compilation included: node first-call.mjs BACKEND prints the
// milliseconds of the import and of the call as JSON. A process can measure this once, because later calls find the
// modules compiled.
const start = performance.now();
const { createKernels } = await import('softmax-wasm');
const imported = performance.now();
createKernels({ backend: /** @type {any} */ (process.argv[2]) }).softmax([2, 1, 0.1]);
const called = performance.now();
console.log(JSON.stringify({ import: imported - start, call: called - imported }));
