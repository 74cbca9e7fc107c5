import { createRequire } from 'node:module';
import { onnxPeer } from './onnx.mjs';
import { serve } from './serve.mjs';

const load = createRequire(import.meta.url);

serve(async () => {
  const ort = load('onnxruntime-web');
  ort.env.wasm.numThreads = 1;
  return onnxPeer(ort, ort.env.versions.web, { executionProviders: ['wasm'] });
});
