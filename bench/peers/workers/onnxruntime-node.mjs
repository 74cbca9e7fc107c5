import { createRequire } from 'node:module';
import { onnxPeer } from './onnx.mjs';
import { serve } from './serve.mjs';

const load = createRequire(import.meta.url);

serve(async () => {
  const ort = load('onnxruntime-node');
  const options = { intraOpNumThreads: 1, interOpNumThreads: 1 };
  return onnxPeer(ort, load('onnxruntime-node/package.json').version, options);
});
