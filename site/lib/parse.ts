/** Parses numbers that a visitor pastes or drops: JSON, CSV and .npy. Errors say what was expected, and where. */
import { tensor } from 'softmax-wasm';

export interface Numbers {
  readonly data: Float32Array | Float64Array;
  readonly shape: readonly number[];
}

/** Nested arrays of JSON, or lines of numbers with commas, semicolons or white space between them. @throws */
export function parseText(text: string): Numbers {
  const trimmed = text.trim();
  if (trimmed === '') throw new RangeError('There are no numbers.');
  return trimmed.startsWith('[') ? parseJson(trimmed) : parseLines(trimmed);
}

function parseJson(text: string): Numbers {
  const read = tensor(JSON.parse(text));
  try {
    return { data: read.toArray() as Float32Array, shape: [...read.shape] };
  } finally {
    read.dispose();
  }
}

function parseLines(text: string): Numbers {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  const rows = lines.map((line, i) => parseLine(line, i + 1));
  const classes = rows[0]!.length;
  rows.forEach((row, i) => {
    if (row.length !== classes) {
      throw new RangeError(`Line ${i + 1} has ${row.length} numbers, expected ${classes}, as in the first line.`);
    }
  });
  // Many programs write a single row as a column.
  const shape = classes === 1 || rows.length === 1 ? [rows.length * classes] : [rows.length, classes];
  return { data: Float64Array.from(rows.flat()), shape };
}

function parseLine(line: string, lineNumber: number): number[] {
  return line
    .trim()
    .split(/\s*[,;]\s*|\s+/)
    .map((word) => {
      const value = parseNumber(word);
      if (value === undefined)
        throw new RangeError(`Line ${lineNumber} has '${word.slice(0, 40)}', expected a number.`);
      return value;
    });
}

/** NaN and infinities, as Python and NumPy print them. */
const WORDS: Readonly<Record<string, number>> = {
  nan: Number.NaN,
  inf: Infinity,
  '+inf': Infinity,
  '-inf': -Infinity,
  infinity: Infinity,
  '-infinity': -Infinity,
};

function parseNumber(word: string): number | undefined {
  const named = WORDS[word.toLowerCase()];
  if (named !== undefined) return named;
  const value = Number(word);
  return word === '' || Number.isNaN(value) ? undefined : value;
}

const MAGIC = '\u0093NUMPY';
const KINDS: Readonly<Record<string, { bytes: number; view(buffer: ArrayBuffer): Numbers['data'] }>> = {
  '<f4': { bytes: 4, view: (buffer) => new Float32Array(buffer) },
  '<f8': { bytes: 8, view: (buffer) => new Float64Array(buffer) },
};

/** Whether a file begins as .npy does. */
export function isNpy(buffer: ArrayBuffer): boolean {
  return latin1(buffer, 0, Math.min(MAGIC.length, buffer.byteLength)) === MAGIC;
}

/**
 * Parses a file of numpy.save: magic bytes, version, the length of the header, the header, which is a Python dictionary
 * (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html), then the elements. @throws
 */
export function parseNpy(buffer: ArrayBuffer): Numbers {
  const view = new DataView(buffer);
  const isFirstVersion = view.getUint8(6) === 1;
  const start = isFirstVersion ? 10 : 12;
  const length = isFirstVersion ? view.getUint16(8, true) : view.getUint32(8, true);
  const header = latin1(buffer, start, length);
  const descr = header.match(/'descr': '([^']+)'/)?.[1] ?? 'none';
  const kind = KINDS[descr];
  if (kind === undefined) throw new TypeError(`The .npy file has dtype '${descr}', expected '<f4' or '<f8'.`);
  if (!header.includes("'fortran_order': False"))
    throw new TypeError('The .npy file is in Fortran order, expected C order.');
  const sizes = header.match(/'shape': \(([^)]*)\)/)?.[1] ?? '';
  const shape = sizes
    .split(',')
    .filter((size) => size.trim() !== '')
    .map(Number);
  const expected = shape.reduce((product, size) => product * size, kind.bytes);
  const elements = buffer.slice(start + length);
  if (elements.byteLength !== expected) {
    throw new RangeError(`The .npy file has ${elements.byteLength} bytes of elements, expected ${expected}.`);
  }
  return { data: kind.view(elements), shape: shape.length === 0 ? [1] : shape };
}

/** Bytes as characters, one for each. */
function latin1(buffer: ArrayBuffer, start: number, length: number): string {
  return Array.from(new Uint8Array(buffer, start, length), (byte) => String.fromCharCode(byte)).join('');
}
