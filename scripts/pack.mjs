// Two builds of a module as text that a bundler leaves alone and gzip makes small; src/wasm/embedded.ts reads it.
// A character for a byte wherever that is possible: the idea of meshoptimizer's wasmpack.
//
// - One character for each of the commonest bytes, two for the others, and none split: base64 moves three bytes into
//   four characters, so that the same instructions look different at each offset, and gzip finds nothing.
// - The second build as what differs from the first: a few bytes wherever one multiplies and adds in one instruction,
//   the other in two.

/** Those of base64: safe in every string literal, minifier and page. */
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
/** So many characters start a pair: a byte as two digits of base 64. The others are a common byte each. */
const PAIRS = 4;
const CODE_SECTION = 10;
/** The most bytes that a change in a patch copies, and that it leaves out or inserts. */
const COPIED = 255;
const CHANGED = 15;

/** The module cut before each function and after the last. */
function chunksOf(bytes) {
  const cuts = [0];
  let at = 8;
  const readLeb = () => {
    let value = 0;
    let shift = 0;
    let byte = 128;
    for (; byte & 128; shift += 7) {
      byte = bytes[at++];
      value |= (byte & 127) << shift;
    }
    return value;
  };
  while (at < bytes.length) {
    const section = bytes[at++];
    const end = readLeb() + at;
    if (section === CODE_SECTION) {
      for (let functions = readLeb(); functions > 0; functions--) {
        cuts.push(at);
        at = readLeb() + at;
      }
      cuts.push(end);
    }
    at = end;
  }
  return cuts.map((cut, i) => bytes.subarray(cut, cuts[i + 1]));
}

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

/** The same for the bytes of two modules, function by function: functions of one name are compared. */
function commonBytePlaces(first, second) {
  const [chunks, others] = [chunksOf(first.bytes), chunksOf(second.bytes)];
  const startOf = (chunk, module) => chunk.byteOffset - module.bytes.byteOffset;
  return commonPlaces(['start', ...first.functions, 'end'], ['start', ...second.functions, 'end']).flatMap(([i, j]) => {
    const [start, otherStart] = [startOf(chunks[i], first), startOf(others[j], second)];
    return commonPlaces(chunks[i], others[j]).map(([a, b]) => [start + a, otherStart + b]);
  });
}

/**
 * The bytes that make the second module of the first: how many to copy, how many to leave out and how many to insert in
 * half a byte each, then those to insert; and so on to the end.
 */
function patchOf(first, second) {
  const end = [first.bytes.length, second.bytes.length];
  const patch = [];
  let [copied, from, to] = [0, 0, 0];
  for (const [i, j] of [...commonBytePlaces(first, second), end]) {
    while (from < i || to < j || copied === COPIED || (i === end[0] && copied > 0)) {
      const [skipped, inserted] = [Math.min(i - from, CHANGED), Math.min(j - to, CHANGED)];
      patch.push(copied, (skipped << 4) | inserted, ...second.bytes.subarray(to, to + inserted));
      copied = 0;
      from += skipped;
      to += inserted;
    }
    copied++;
    from++;
    to++;
  }
  return patch;
}

/** The bytes that get a character of their own. */
function commonBytes(bytes) {
  const counts = new Array(256).fill(0);
  for (const byte of bytes) counts[byte]++;
  const byCount = counts.map((_, byte) => byte).sort((a, b) => counts[b] - counts[a] || a - b);
  return byCount.slice(0, ALPHABET.length - PAIRS).sort((a, b) => a - b);
}

/** What src/generated/ holds of the families, each with its two builds: their bytes and the names of their functions. */
export function pack(families) {
  const common = commonBytes(Buffer.concat(families.map(({ simd128 }) => simd128.bytes)));
  const encode = (byte) => {
    const place = common.indexOf(byte);
    return place < 0 ? ALPHABET[byte >> 6] + ALPHABET[byte & 63] : ALPHABET[PAIRS + place];
  };
  const codes = Array.from({ length: 256 }, (_, byte) => encode(byte));
  const textOf = (bytes) => Array.from(bytes, (byte) => codes[byte]).join('');
  const packed = families.map(({ family, simd128, relaxed }) => {
    return { family, text: textOf(simd128.bytes), patch: textOf(patchOf(simd128, relaxed)) };
  });
  return { alphabet: ALPHABET, common, packed };
}
