import { spawnSync } from 'node:child_process';

const FLAG = '--experimental-wasm-relaxed-simd';

/** Node 20 has relaxed SIMD behind a flag: if it is missing, runs this program again with the flag and exits. */
export function runWithRelaxedSimd() {
  if (Number.parseInt(process.versions.node, 10) >= 22 || process.execArgv.includes(FLAG)) return;
  const { status } = spawnSync(process.execPath, [FLAG, ...process.execArgv, ...process.argv.slice(1)], {
    stdio: 'inherit',
  });
  process.exit(status ?? 1);
}
