import { defineConfig } from 'vitest/config';
export default defineConfig({ test: { pool: 'forks', maxWorkers: 1, isolate: false, testTimeout: 60000, execArgv: [ '--expose-gc','--experimental-wasm-relaxed-simd'], include: ['test/{alongAxis,lossResults,maskedRows,losses}.test.ts'] } });
