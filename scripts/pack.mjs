// Functions in two builds as text that a bundler leaves alone and gzip makes small; src/wasm/link.ts makes modules of it.
// A character for a byte wherever that is possible: the idea of meshoptimizer's wasmpack.
//
// - One character for each of the commonest bytes, two for the others, and none split: base64 moves three bytes into
//   four characters, so that the same instructions look different at each offset, and gzip finds nothing.
// - Where the builds differ, [simd128|relaxed]: mostly a multiplication that the other build has not, and an addition that
//   multiplies there.
// - @ for the number of the function that a call calls, * for the caller's own: it differs from module to module.

/** Those of base64: safe in every string literal, minifier and page. */
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
/** So many characters start a pair: a byte as two digits of base 64. The others are a common byte each. */
const PAIRS = 4;
const CALL = 0x10;
const LOCALS = [0x20, 0x21, 0x22];

/** The places [i, j] of what a and b have in common: a longest common subsequence. */
function commonPlaces(a, b) {
  const width = b.length + 1;
  const lengths = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      const at = i * width + j;
      lengths[at] = a[i] === b[j] ? lengths[at + width + 1] + 1 : Math.max(lengths[at + width], lengths[at + 1]);
    }
  }
  // What can be left out is left out at once: where two instructions become one, the same bytes then stay each time.
  const places = [];
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const at = i * width + j;
    if (lengths[at] === lengths[at + width]) i++;
    else if (lengths[at] === lengths[at + 1]) j++;
    else places.push([i++, j++]);
  }
  return places;
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

/** How often the second build uses which local variable where the first uses which: [second, first], the commonest first. */
function pairsOfLocals(first, second) {
  const parameters = first.type[1];
  const keyIn = (code) => (instruction) => {
    const local = localOf(instruction) ?? 0;
    return local < parameters
      ? `${instruction.callee ?? instruction.bytes}`
      : `${instruction.bytes[0]} ${code.locals[local - parameters]}`;
  };
  const counts = new Map();
  for (const [i, j] of commonPlaces(first.instructions.map(keyIn(first)), second.instructions.map(keyIn(second)))) {
    const pair = `${localOf(second.instructions[j])} ${localOf(first.instructions[i])}`;
    counts.set(pair, (counts.get(pair) ?? 0) + 1);
  }
  const pairs = [...counts].sort((a, b) => b[1] - a[1]).map(([pair]) => pair.split(' ').map(Number));
  return pairs.filter(([from]) => from >= parameters);
}

/**
 * The second build's function with its local variables numbered as in the first one, wherever the same instruction uses
 * one: its own numbers differ from the first variable on that only one of the two has.
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

/** The declaration of local variables: how many of each type, one after another. */
function declarationOf({ locals }) {
  const starts = locals.flatMap((type, i) => (type === locals[i - 1] ? [] : i));
  const groups = starts.map((start, i) => [...leb((starts[i + 1] ?? locals.length) - start), locals[start]]);
  return [...leb(groups.length), ...groups.flat()];
}

/** A function as a list of instructions, its type and the declaration of its local variables in front. */
function partsOf(code) {
  return [{ bytes: code.type }, { bytes: declarationOf(code) }, ...code.instructions];
}

/** What the parts begin and end with alike, as counts of bytes. */
function sharedEnds(a, b) {
  const least = Math.min(a.length, b.length);
  let start = 0;
  while (start < least && a[start] === b[start]) start++;
  let end = 0;
  while (end < least - start && a.at(-1 - end) === b.at(-1 - end)) end++;
  return [start, end];
}

/** The bytes of parts that only one build has. @throws Error where there is a call among them */
function bytesOf(parts) {
  return parts.flatMap(({ bytes, callee }) => {
    if (bytes === undefined) throw new Error(`only one build calls ${callee}`);
    return bytes;
  });
}

/** Two builds of the same as text: `a` and `b` are their parts, each `bytes` or a call, in the function `caller`. */
function textOf(a, b, encode, caller) {
  const keyOf = ({ callee, bytes }) => callee ?? String(bytes);
  let text = '';
  let [i, j] = [0, 0];
  for (const [nextI, nextJ] of [...commonPlaces(a.map(keyOf), b.map(keyOf)), [a.length, b.length]]) {
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
  return byCount.slice(0, ALPHABET.length - PAIRS).sort((a, b) => a - b);
}

/** What a function calls, itself left out. */
function calleesOf(name, { instructions }) {
  return instructions.flatMap(({ callee }) => (callee === undefined || callee === name ? [] : callee));
}

/** The functions of a module in order, each behind those that it calls. @throws Error where two call each other */
function callOrder(functions) {
  const ordered = new Set();
  const visit = (name, callers) => {
    if (ordered.has(name)) return;
    if (callers.includes(name)) throw new Error(`${[...callers, name].join(' calls ')}: text has no place for that`);
    for (const callee of calleesOf(name, functions.get(name))) visit(callee, [...callers, name]);
    ordered.add(name);
  };
  for (const name of functions.keys()) visit(name, []);
  return [...ordered];
}

/**
 * What src/generated/ holds of the two builds, as readModule gives them: each function's text and the names of those that
 * it calls, in the order of the calls; the data.
 */
export function pack(simd128, relaxed) {
  const bytes = [...simd128.functions.values()].flatMap((code) =>
    partsOf(code).flatMap((part) => part.bytes ?? [CALL]),
  );
  const common = commonBytes(bytes);
  const codes = Array.from({ length: 256 }, (_, byte) => {
    const place = common.indexOf(byte);
    return place < 0 ? ALPHABET[byte >> 6] + ALPHABET[byte & 63] : ALPHABET[PAIRS + place];
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
