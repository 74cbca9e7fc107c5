// scripts/order-module.mjs: the variables of assembly/simd/registers.ts.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

const { orderModule } = await import(new URL('../scripts/order-module.mjs', import.meta.url).href);

const moduleOf = (...code: string[]) => `(module
 (type $0 (func (result v128)))
 (global $assembly/simd/registers/r0 (mut v128) (v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000))
 (memory $0 1)
 (export "run" (func $run))
 (func $run (result v128)
${code.map((line) => `  ${line}`).join('\n')}
 )
)`;

const WRITE = ['i32.const 16', 'v128.load', 'global.set $assembly/simd/registers/r0'];
const READ = 'global.get $assembly/simd/registers/r0';

describe('registers', () => {
  test('become local variables', () => {
    const { text, bytes } = orderModule(moduleOf(...WRITE, READ));
    expect(text).not.toContain('global');
    expect(text).toContain('local.get $r0');
    expect(WebAssembly.validate(bytes)).toBe(true);
  });

  test('are written before they are read', () => {
    expect(() => orderModule(moduleOf(READ))).toThrow('r0 of simd/registers.ts is read before it is written in $run');
  });

  test.each(['simd128', 'relaxed-simd'])('and none is left in the shipped %s', (name) => {
    expect(readFileSync(new URL(`../build/${name}.wat`, import.meta.url), 'utf8')).not.toContain('registers');
  });
});

test('a constant before a load becomes its offset where it cannot wrap around', () => {
  const load = (constant: number) => moduleOf('i32.const 8', `i32.const ${constant}`, 'i32.add', 'v128.load32_splat');
  expect(orderModule(load(1020)).text).toContain('v128.load32_splat offset=1020');
  expect(orderModule(load(1024)).text).toContain('i32.add');
});
