// Refuses a module that grows memory, has a mutable global or an unexpected import, has constants where scratch begins,
// or has relaxed instructions in the wrong build. `node scripts/check-module.mjs` checks the modules in build/.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import binaryen from 'binaryen';

/** Where constants must end: STATIC_END of src/memory/arena.ts. */
const STATIC_END = 1024;
/** A data segment in the text format: its address and its bytes, some of them escaped. */
const DATA = /\(data \S+ \(i32\.const (\d+)\) "(.*)"\)/g;
const ESCAPED = /\\(?:[\da-f]{2}|.)/g;
const RELAXED = /\b(?:[if]\d+x\d+\.)relaxed_\w+/;

/** @throws Error that says what is wrong with the module. */
export function checkModule(name, bytes) {
  const fail = (what) => {
    throw new Error(`${name}: ${what}`);
  };
  const module = binaryen.readBinary(new Uint8Array(bytes));
  const text = module.emitText();
  for (const [, what] of text.matchAll(/\(import ("[^)]*)/g)) {
    if (!what.startsWith('"env" "memory" (memory')) fail(`imports ${what}`);
  }
  for (let i = 0; i < module.getNumGlobals(); i++) {
    const global = binaryen.getGlobalInfo(module.getGlobalByIndex(i));
    if (global.mutable) fail(`has the mutable global ${global.name}`);
  }
  module.dispose();
  for (const [, start, escaped] of text.matchAll(DATA)) {
    const end = Number(start) + escaped.replaceAll(ESCAPED, '.').length;
    if (end > STATIC_END) fail(`has constants up to byte ${end}, expected ${STATIC_END} at most`);
  }
  if (text.includes('(memory.grow')) fail('grows memory');
  const relaxed = text.match(RELAXED);
  if (name === 'simd128' && relaxed) fail(`holds ${relaxed[0]}`);
  if (name === 'relaxed-simd' && !relaxed) fail('holds no relaxed instruction');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const name of ['simd128', 'relaxed-simd']) {
    checkModule(name, readFileSync(`build/${name}.wasm`));
    console.log(`${name}: imports, globals, memory and instructions as they should be`);
  }
}
