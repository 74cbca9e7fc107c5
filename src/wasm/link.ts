import { alphabet, common } from '../generated/alphabet.js';

/** Backends that are modules, in two builds of the same kernels. */
export type ModuleBackend = 'relaxed-simd' | 'simd128';

/** A function in both builds as text, and the functions that it calls, in their order there. scripts/pack.mjs says more. */
export type Code = readonly [text: string, ...callees: Code[]];

/** What a module is made of. */
export interface Program {
  /** What it exports, by name; with it comes all that it calls. */
  readonly exports: Readonly<Record<string, Code>>;
  /** What its data section holds, as text. */
  readonly data?: string;
}

// The binary format: https://webassembly.github.io/spec/core/binary/modules.html
const PREAMBLE = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const SECTION = { type: 1, import: 2, function: 3, export: 7, code: 10, data: 11 };
const FUNCTION = 0;
const MEMORY = 2;
/** At least a page; and at most 65536 where threads share it: engines link no other to a memory that is shared. */
const LIMITS = [0, 1];
const SHARED_LIMITS = [3, 1, 0x80, 0x80, 4];

/** The digit of a character that is none, but a call. */
const CALLEE = 255;

/** The bytes of a program's module; `isShared` tells whether threads share its memory. */
export function link({ exports, data }: Program, backend: ModuleBackend, isShared = false): Uint8Array<ArrayBuffer> {
  const numbers = numberFunctions(Object.values(exports));
  const other = backend === 'simd128' ? /\[|\|[^\]]*]/g : /\[[^|]*\||]/g;
  const digits = digitsOf(alphabet);
  const decoded = (code: Code) => decode(code, code[0].replace(other, ''), digits, numbers);
  const functions = Array.from(numbers.keys(), decoded);
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
    data === undefined ? [] : concat([SECTION.data], sized(decoded([data]))),
  );
}

/** Each function with its number: those given, and all that they call. */
function numberFunctions(codes: readonly Code[], numbers = new Map<Code, number>()): ReadonlyMap<Code, number> {
  for (const code of codes) {
    if (numbers.has(code)) continue;
    numbers.set(code, numbers.size);
    numberFunctions(code.slice(1) as readonly Code[], numbers);
  }
  return numbers;
}

function digitsOf(characters: string): Uint8Array {
  const digits = new Uint8Array(128).fill(CALLEE);
  for (let i = 0; i < characters.length; i++) digits[characters.charCodeAt(i)] = i;
  return digits;
}

/** A character is a common byte, or the first of two digits; @ is a callee, * the caller. */
function decode(code: Code, text: string, digits: Uint8Array, numbers: ReadonlyMap<Code, number>): Uint8Array {
  const pairs = alphabet.length - common.length;
  // A call of a function with a number above 127 takes more bytes than characters.
  const bytes = new Uint8Array(2 * text.length);
  let length = 0;
  let calls = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = digits[text.charCodeAt(i)]!;
    if (digit === CALLEE) {
      const callee = text[i] === '*' ? code : (code[++calls] as Code);
      for (const byte of leb(numbers.get(callee)!)) bytes[length++] = byte;
    } else bytes[length++] = digit < pairs ? digit * 64 + digits[text.charCodeAt(++i)]! : common[digit - pairs]!;
  }
  return bytes.subarray(0, length);
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
