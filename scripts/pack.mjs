// Modules as text that a bundler leaves alone and gzip makes small; src/runtime/embedded.ts reads it.
//
// - One character for each of the commonest bytes, two for the others, and none split: base64 moves three bytes into
//   four characters, so that the same instructions look different at each offset, and gzip finds nothing.
// - The functions of all modules in turn: gzip looks back no further than 32 KiB, and then finds in the second build
//   what the first one has already.

/** Those of base64: safe in every string literal, minifier and page. */
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
/** So many characters start a pair: a byte as two digits of base 64. The others are a common byte each. */
const PAIRS = 4;
const CODE_SECTION = 10;

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

/** The bytes that get a character of their own. */
function commonBytes(bytes) {
  const counts = new Array(256).fill(0);
  for (const byte of bytes) counts[byte]++;
  const byCount = counts.map((_, byte) => byte).sort((a, b) => counts[b] - counts[a] || a - b);
  return byCount.slice(0, ALPHABET.length - PAIRS).sort((a, b) => a - b);
}

/** What src/generated/modules.ts exports: the modules' chunks in turn, with commas between them. */
export function pack(modules) {
  const common = commonBytes(Buffer.concat(modules));
  const encode = (byte) => {
    const place = common.indexOf(byte);
    return place < 0 ? ALPHABET[byte >> 6] + ALPHABET[byte & 63] : ALPHABET[PAIRS + place];
  };
  const codes = Array.from({ length: 256 }, (_, byte) => encode(byte));
  const chunks = modules.map(chunksOf);
  const turns = Math.max(...chunks.map(({ length }) => length));
  const texts = [];
  for (let turn = 0; turn < turns; turn++) {
    for (const chunk of chunks) texts.push(Array.from(chunk[turn] ?? [], (byte) => codes[byte]).join(''));
  }
  return { alphabet: ALPHABET, common, text: texts.join(',') };
}
