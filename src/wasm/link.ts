import { alphabet, common } from '../generated/alphabet.js';

/** The backends that are WebAssembly: two builds of the same kernels. */
export type ModuleBackend = 'relaxed-simd' | 'simd128';

/**
 * A function in both builds as text, and the functions that it calls, in the order of the calls. scripts/pack.mjs
 * describes the text.
 */
export type Code = readonly [text: string, ...callees: Code[]];

/** What a module is made of. */
export interface Program {
  /** The exported functions by name; the module also gets every function that they call. */
  readonly exports: Readonly<Record<string, Code>>;
  /** The content of its data section, as text. */
  readonly data?: string;
}

// The binary format: https://webassembly.github.io/spec/core/binary/modules.html
const PREAMBLE = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const SECTION = { type: 1, import: 2, function: 3, export: 7, code: 10, data: 11 };
const FUNCTION = 0;
const MEMORY = 2;
/**
 * The limits of the imported memory: at least one page. An import of a shared memory needs a maximum too, which is
 * 65536 pages.
 */
const LIMITS = [0, 1];
const SHARED_LIMITS = [3, 1, 0x80, 0x80, 4];

/**
 * A function's bytes, its type first, and its calls: where the two bytes for the callee's number are still to be filled
 * in.
 */
interface Decoded {
  readonly bytes: Uint8Array;
  readonly calls: readonly (readonly [at: number, callee: Code])[];
}

/** The functions that were decoded before: modules share them. */
const decoded = { 'relaxed-simd': new Map<Code, Decoded>(), simd128: new Map<Code, Decoded>() };

/** The bytes of a program's module; `isShared` tells whether threads share its memory. */
export function link({ exports, data }: Program, backend: ModuleBackend, isShared = false): Uint8Array<ArrayBuffer> {
  const numbers = numberFunctions(Object.values(exports));
  const functions = Array.from(numbers.keys(), (code) => functionOf(code, backend, numbers));
  // A function's type comes first: a byte, the parameters, the results.
  const typeEnds = functions.map((bytes) => 3 + bytes[1]! + bytes[2 + bytes[1]!]!);
  const types = functions.map((bytes, i) => bytes.subarray(0, typeEnds[i]));
  const typesOf = functions.map((_, i) => leb(i));
  const memory = concat(named('env'), named('memory'), [MEMORY], isShared ? SHARED_LIMITS : LIMITS);
  const exported = Object.entries(exports).map(([name, code]) =>
    concat(named(name), [FUNCTION], leb(numbers.get(code)!)),
  );
  const bodies = functions.map((bytes, i) => sized(bytes.subarray(typeEnds[i])));
  return concat(
    PREAMBLE,
    section(SECTION.type, types),
    section(SECTION.import, [memory]),
    section(SECTION.function, typesOf),
    section(SECTION.export, exported),
    section(SECTION.code, bodies),
    data === undefined ? [] : concat([SECTION.data], sized(decode([data], backend).bytes)),
  );
}

/** Numbers the given functions and all functions that they call. */
function numberFunctions(codes: readonly Code[], numbers = new Map<Code, number>()): ReadonlyMap<Code, number> {
  for (const code of codes) {
    if (numbers.has(code)) continue;
    numbers.set(code, numbers.size);
    numberFunctions(code.slice(1) as readonly Code[], numbers);
  }
  return numbers;
}

/** A function's bytes with the callees' numbers filled in: two bytes each, even where one would do. */
function functionOf(code: Code, backend: ModuleBackend, numbers: ReadonlyMap<Code, number>): Uint8Array {
  let known = decoded[backend].get(code);
  if (known === undefined) {
    known = decode(code, backend);
    decoded[backend].set(code, known);
  }
  const bytes = known.bytes.slice();
  for (const [at, callee] of known.calls) {
    const number = numbers.get(callee)!;
    bytes[at] = (number & 127) | 128;
    bytes[at + 1] = number >> 7;
  }
  return bytes;
}

/**
 * Decodes the text of a function. A character is a common byte, or the first of two digits of another byte; [a|b] is a
 * in simd128 and b in relaxed-simd; @ is the number of a callee, and * that of the function itself.
 */
function decode(code: Code, backend: ModuleBackend): Decoded {
  const text = code[0].replace(backend === 'simd128' ? /\[|\|[^\]]*]/g : /\[[^|]*\||]/g, '');
  const digits = new Int8Array(128).fill(-1);
  for (let i = 0; i < alphabet.length; i++) digits[alphabet.charCodeAt(i)] = i;
  const pairs = alphabet.length - common.length;
  const bytes = new Uint8Array(2 * text.length);
  const calls: [number, Code][] = [];
  let length = 0;
  let callees = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = digits[text.charCodeAt(i)]!;
    if (digit >= pairs) bytes[length++] = common[digit - pairs]!;
    else if (digit >= 0) bytes[length++] = digit * 64 + digits[text.charCodeAt(++i)]!;
    else {
      calls.push([length, text[i] === '*' ? code : (code[++callees] as Code)]);
      length += 2;
    }
  }
  return { bytes: bytes.subarray(0, length), calls };
}

/** Unsigned LEB128. */
function leb(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...leb(value >> 7)];
}

function concat(...parts: readonly ArrayLike<number>[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function sized(bytes: ArrayLike<number>): Uint8Array {
  return concat(leb(bytes.length), bytes);
}

function named(name: string): Uint8Array {
  return sized(Array.from(name, (character) => character.charCodeAt(0)));
}

function section(id: number, entries: readonly ArrayLike<number>[]): Uint8Array {
  return concat([id], sized(concat(leb(entries.length), ...entries)));
}
