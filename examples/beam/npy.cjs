// NumPy's .npy files: one array, row-major and little-endian, as numpy.save writes it.
const { readFileSync, writeFileSync } = require('node:fs');

const TYPES = { '<f4': Float32Array, '<f8': Float64Array, '<i4': Int32Array, '<i8': BigInt64Array };
/** The magic bytes at the start of every file, and version 1.0. */
const MAGIC = Buffer.from('\x93NUMPY\x01\x00', 'latin1');
/** Data begins at a multiple of this many bytes. */
const ALIGNMENT = 64;

/** The array in a file: its elements and its shape. @throws Error for any other file */
function readNpy(path) {
  const file = readFileSync(path);
  if (!file.subarray(0, MAGIC.length).equals(MAGIC)) throw new Error(`${path} is no .npy file of version 1.0`);
  const start = MAGIC.length + 2 + file.readUInt16LE(MAGIC.length);
  const header = file.toString('latin1', MAGIC.length + 2, start);
  const [, descr] = header.match(/'descr': '([^']+)'/) ?? [];
  const [, sizes] = header.match(/'shape': \(([^)]*)\)/) ?? [];
  const Type = TYPES[descr];
  if (Type === undefined || sizes === undefined || header.includes("'fortran_order': True")) {
    throw new Error(`${path} holds ${header.trim()}, expected a row-major array of ${Object.keys(TYPES).join(', ')}`);
  }
  const shape = sizes
    .split(',')
    .filter((size) => size.trim() !== '')
    .map(Number);
  const bytes = Type.BYTES_PER_ELEMENT * shape.reduce((a, b) => a * b, 1);
  if (file.length !== start + bytes) {
    throw new Error(`${path} has ${file.length - start} bytes of data, expected ${bytes} for shape [${shape}]`);
  }
  // A copy: typed arrays must begin at a multiple of their elements' size.
  return { data: new Type(new Uint8Array(file.subarray(start)).buffer), shape };
}

function writeNpy(path, data, shape) {
  const [descr] = Object.entries(TYPES).find(([, Type]) => data instanceof Type) ?? [];
  if (descr === undefined) throw new Error(`${path}: expected an array of ${Object.keys(TYPES).join(', ')}`);
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${sizes}), }`;
  const fixed = MAGIC.length + 2;
  const header = `${text.padEnd(Math.ceil((fixed + text.length + 1) / ALIGNMENT) * ALIGNMENT - fixed - 1)}\n`;
  const length = Buffer.alloc(2);
  length.writeUInt16LE(header.length);
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  writeFileSync(path, Buffer.concat([MAGIC, length, Buffer.from(header, 'latin1'), bytes]));
}

module.exports = { readNpy, writeNpy };
