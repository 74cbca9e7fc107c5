// Encodes the functions of both builds as text that bundlers leave unchanged and that gzip compresses well;
// src/wasm/link.ts builds modules from it. A byte is one character where possible, an idea of meshoptimizer's wasmpack.
//
// - Each of the most frequent bytes is one character, any other two, and none is split between characters: base64 turns
//   three bytes into four characters, so that the same instructions look different at each offset, and gzip finds few
//   repetitions.
// - Where the builds differ, the text has [simd128|relaxed-simd]: mostly a multiplication that only simd128 has, and an
//   addition that is a multiply-add in relaxed-simd.
// - @ stands for the number of the called function, and * for that of the caller itself: numbers differ from module to
//   module.

/** The characters of base64, which are safe in every string literal, minifier and page. */
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
/**
 * How many characters start a pair, which is a byte as two digits in base 64. Each of the others is a frequent byte.
 */
const PAIR_STARTS = 4;
const CALL = 0x10;
const LOCALS = [0x20, 0x21, 0x22];

/** The pairs of indices [i, j] of a longest common subsequence of a and b. */
function commonSubsequence(a, b) {
  const width = b.length + 1;
  const lengths = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      const at = i * width + j;
      lengths[at] = a[i] === b[j] ? lengths[at + width + 1] + 1 : Math.max(lengths[at + width], lengths[at + 1]);
    }
  }
  // Elements are left out as early as possible: where two instructions of one build correspond to one of the other, the
  // same of the two is left out each time, and the texts are alike.
  const pairs = [];
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const at = i * width + j;
    if (lengths[at] === lengths[at + width]) i++;
    else if (lengths[at] === lengths[at + 1]) j++;
    else pairs.push([i++, j++]);
  }
  return pairs;
}

/** Unsigned LEB128. */
export function leb(value) {
  const bytes = [];
  do {
    bytes.push((value & 127) | (value > 127 ? 128 : 0));
    value >>>= 7;
  } while (value > 0);
  return bytes;
}

/** The number of the local variable that an instruction names, parameters included; undefined for any other. */
export function localOf({ bytes }) {
  if (bytes === undefined || !LOCALS.includes(bytes[0])) return undefined;
  return bytes.slice(1).reduce((value, byte, i) => value + (byte & 127) * 128 ** i, 0);
}

/**
 * The local variables that the builds use in the same instruction, as pairs of numbers [second, first]: the pair that
 * occurs most often comes first.
 */
function pairsOfLocals(first, second) {
  const parameters = first.type[1];
  const keyIn = (code) => (instruction) => {
    const local = localOf(instruction) ?? 0;
    return local < parameters
      ? `${instruction.callee ?? instruction.bytes}`
      : `${instruction.bytes[0]} ${code.locals[local - parameters]}`;
  };
  const counts = new Map();
  for (const [i, j] of commonSubsequence(
    first.instructions.map(keyIn(first)),
    second.instructions.map(keyIn(second)),
  )) {
    const pair = `${localOf(second.instructions[j])} ${localOf(first.instructions[i])}`;
    counts.set(pair, (counts.get(pair) ?? 0) + 1);
  }
  const pairs = [...counts].sort((a, b) => b[1] - a[1]).map(([pair]) => pair.split(' ').map(Number));
  return pairs.filter(([from]) => from >= parameters);
}

/**
 * The second build's function with its local variables numbered as in the first build, wherever the same instruction
 * uses one. Without that, all numbers would differ after the first variable that only one of the two has.
 */
function renumbered(first, second) {
  const parameters = first.type[1];
  const locals = [...first.locals];
  const free = new Set(locals.keys());
  const numbers = new Map();
  const give = (from, place) => {
    numbers.set(from, place + parameters);
    free.delete(place);
  };
  for (const [from, to] of pairsOfLocals(first, second)) {
    if (!numbers.has(from) && free.has(to - parameters)) give(from, to - parameters);
  }
  for (const [i, type] of second.locals.entries()) {
    if (numbers.has(i + parameters)) continue;
    give(i + parameters, [...free].find((place) => locals[place] === type) ?? locals.push(type) - 1);
  }
  const instructions = second.instructions.map((instruction) => {
    const to = numbers.get(localOf(instruction));
    return to === undefined ? instruction : { bytes: [instruction.bytes[0], ...leb(to)] };
  });
  return { type: second.type, locals, instructions };
}

/** The declaration of local variables: the length and the type of each run of one type. */
function declarationOf({ locals }) {
  const starts = locals.flatMap((type, i) => (type === locals[i - 1] ? [] : i));
  const groups = starts.map((start, i) => [...leb((starts[i + 1] ?? locals.length) - start), locals[start]]);
  return [...leb(groups.length), ...groups.flat()];
}

/** A function as a list of instructions, its type and the declaration of its local variables in front. */
function partsOf(code) {
  return [{ bytes: code.type }, { bytes: declarationOf(code) }, ...code.instructions];
}

/** How many bytes a and b have in common at their start, and how many at their end. */
function sharedEnds(a, b) {
  const least = Math.min(a.length, b.length);
  let start = 0;
  while (start < least && a[start] === b[start]) start++;
  let end = 0;
  while (end < least - start && a.at(-1 - end) === b.at(-1 - end)) end++;
  return [start, end];
}

/** The bytes of parts that only one build has. @throws Error if one of them is a call */
function bytesOf(parts) {
  return parts.flatMap(({ bytes, callee }) => {
    if (bytes === undefined) throw new Error(`only one build calls ${callee}`);
    return bytes;
  });
}

/**
 * The text of the parts `a` and `b`, which are the two builds of the function named `caller`, or of the data. Each part
 * is `bytes` or a call.
 */
function textOf(a, b, encode, caller) {
  const keyOf = ({ callee, bytes }) => callee ?? String(bytes);
  let text = '';
  let [i, j] = [0, 0];
  for (const [nextI, nextJ] of [...commonSubsequence(a.map(keyOf), b.map(keyOf)), [a.length, b.length]]) {
    const [only, other] = [bytesOf(a.slice(i, nextI)), bytesOf(b.slice(j, nextJ))];
    const [start, end] = sharedEnds(only, other);
    const [middle, otherMiddle] = [only, other].map((bytes) => encode(bytes.slice(start, bytes.length - end)));
    text += encode(only.slice(0, start));
    if (middle + otherMiddle !== '') text += `[${middle}|${otherMiddle}]`;
    text += encode(only.slice(only.length - end));
    if (nextI < a.length) {
      const { bytes, callee } = a[nextI];
      text += bytes === undefined ? encode([CALL]) + (callee === caller ? '*' : '@') : encode(bytes);
    }
    [i, j] = [nextI + 1, nextJ + 1];
  }
  return text;
}

/** The bytes that get a character of their own. */
function commonBytes(bytes) {
  const counts = new Array(256).fill(0);
  for (const byte of bytes) counts[byte]++;
  const byCount = counts.map((_, byte) => byte).sort((a, b) => counts[b] - counts[a] || a - b);
  return byCount.slice(0, ALPHABET.length - PAIR_STARTS).sort((a, b) => a - b);
}

/** The functions that a function calls, in the order of the calls; calls of itself are left out. */
function calleesOf(name, { instructions }) {
  return instructions.flatMap(({ callee }) => (callee === undefined || callee === name ? [] : callee));
}

/** The names of a module's functions, each after those that it calls. @throws Error if two functions call each other */
function callOrder(functions) {
  const ordered = new Set();
  const visit = (name, callers) => {
    if (ordered.has(name)) return;
    if (callers.includes(name)) throw new Error(`${[...callers, name].join(' calls ')}: cannot pack such a cycle`);
    for (const callee of calleesOf(name, functions.get(name))) visit(callee, [...callers, name]);
    ordered.add(name);
  };
  for (const name of functions.keys()) visit(name, []);
  return [...ordered];
}

/**
 * Packs two builds, each as readModule returns it.
 * @returns the alphabet and the frequent bytes, which decoding needs; each function's text with the names of those that
 *   it calls, in the order of the calls; the text of the data
 */
export function pack(simd128, relaxed) {
  const bytes = [...simd128.functions.values()].flatMap((code) =>
    partsOf(code).flatMap((part) => part.bytes ?? [CALL]),
  );
  const common = commonBytes(bytes);
  const codes = Array.from({ length: 256 }, (_, byte) => {
    const index = common.indexOf(byte);
    return index < 0 ? ALPHABET[byte >> 6] + ALPHABET[byte & 63] : ALPHABET[PAIR_STARTS + index];
  });
  const encode = (list) => list.map((byte) => codes[byte]).join('');
  const functions = callOrder(simd128.functions).map((name) => {
    const first = simd128.functions.get(name);
    const second = relaxed.functions.get(name);
    if (second === undefined) throw new Error(`${name} is in one build only`);
    return {
      name,
      text: textOf(partsOf(first), partsOf(renumbered(first, second)), encode, name),
      callees: calleesOf(name, first),
    };
  });
  const [data, otherData] = [simd128, relaxed].map((module) => module.data.map((byte) => ({ bytes: [byte] })));
  return { alphabet: ALPHABET, common, functions, data: textOf(data, otherData, encode) };
}
