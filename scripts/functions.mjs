// Parses a module into functions, instruction by instruction, and data, from which scripts/pack.mjs makes text.
// https://webassembly.github.io/spec/core/binary/

const SECTION = { type: 1, function: 3, export: 7, code: 10, data: 11 };
const CALL = 0x10;

/** Reads the bytes of a module from an offset on. */
class Reader {
  constructor(bytes, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  byte() {
    return this.bytes[this.at++];
  }

  /** A number in LEB128. Signed ones are only skipped, so their sign is not decoded. */
  number() {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  }

  skip(count) {
    this.at += count;
  }

  /** The elements of a vector, which the format stores behind their count; `read` reads one. */
  vector(read) {
    return Array.from({ length: this.number() }, () => read(this));
  }

  /** The bytes that `read` consumes. */
  span(read) {
    const start = this.at;
    read(this);
    return [...this.bytes.subarray(start, this.at)];
  }
}

/** Skips the immediates of an instruction. @throws Error if it refers to anything but functions, locals and memory */
function skipImmediates(reader, opcode) {
  const skipNumbers = (count) => {
    for (; count > 0; count--) reader.number();
  };
  if (opcode >= 0x02 && opcode <= 0x04) {
    if (reader.byte() < 0x40) throw new Error('a block has a type of several values');
  } else if (opcode === 0x0c || opcode === 0x0d || (opcode >= 0x20 && opcode <= 0x22)) skipNumbers(1);
  else if (opcode === 0x0e) skipNumbers(reader.number() + 1);
  else if (opcode >= 0x28 && opcode <= 0x3e) skipNumbers(2);
  else if (opcode === 0x3f || opcode === 0x41 || opcode === 0x42) skipNumbers(1);
  else if (opcode === 0x43) reader.skip(4);
  else if (opcode === 0x44) reader.skip(8);
  else if (opcode === 0xfc) skipBulk(reader, reader.number());
  else if (opcode === 0xfd) skipVector(reader, reader.number());
  else if (!hasNoImmediates(opcode)) throw new Error(`unexpected opcode ${opcode}`);
}

/** Whether the opcode is the whole instruction: some control, parametric and numeric ones. */
function hasNoImmediates(opcode) {
  return [0x00, 0x01, 0x05, 0x0b, 0x0f, 0x1a, 0x1b].includes(opcode) || (opcode >= 0x45 && opcode <= 0xc4);
}

function skipBulk(reader, opcode) {
  if (opcode === 10 || opcode === 11) reader.skip(12 - opcode);
  else if (opcode > 7) throw new Error(`unexpected opcode 0xfc ${opcode}`);
}

function skipVector(reader, opcode) {
  const hasAddress = opcode <= 11 || (opcode >= 84 && opcode <= 93);
  if (hasAddress) {
    reader.number();
    reader.number();
  }
  if (opcode === 12 || opcode === 13) reader.skip(16);
  else if ((opcode >= 21 && opcode <= 34) || (opcode >= 84 && opcode <= 91)) reader.skip(1);
}

/** An instruction: its bytes, or the function that it calls. */
function readInstruction(reader, names) {
  if (reader.bytes[reader.at] === CALL) {
    reader.skip(1);
    return { callee: names[reader.number()] };
  }
  return { bytes: reader.span(() => skipImmediates(reader, reader.byte())) };
}

function readBody(reader, names) {
  const end = reader.number() + reader.at;
  const locals = reader.vector(() => ({ count: reader.number(), type: reader.byte() }));
  const instructions = [];
  while (reader.at < end) instructions.push(readInstruction(reader, names));
  return { locals: locals.flatMap(({ count, type }) => new Array(count).fill(type)), instructions };
}

function readType(reader) {
  return reader.span(() => {
    reader.skip(1);
    reader.vector(() => reader.byte());
    reader.vector(() => reader.byte());
  });
}

function readExport(reader, names) {
  const length = reader.number();
  const name = Buffer.from(reader.bytes.subarray(reader.at, reader.at + length)).toString();
  reader.skip(length + 1);
  return [name, names[reader.number()]];
}

/** Where the sections of a module begin and end, by their id. */
function readSections(bytes) {
  const reader = new Reader(bytes, 8);
  const sections = new Map();
  while (reader.at < bytes.length) {
    const id = reader.byte();
    const size = reader.number();
    sections.set(id, { start: reader.at, end: reader.at + size });
    reader.skip(size);
  }
  return sections;
}

/**
 * Parses a module of kernels. Its functions get the names in `functionNames`, in order; without that, their numbers.
 * @returns `functions`, a map from a function's name to its `type`, `locals` and `instructions`; `exports`, a map from
 *   an export's name to that of its function; `data`, the bytes of the data section, if there is one
 */
export function readModule(bytes, functionNames) {
  const sections = readSections(bytes);
  const section = (id) => new Reader(bytes, sections.get(id).start);
  const types = section(SECTION.type).vector(readType);
  const typesOf = section(SECTION.function).vector((one) => one.number());
  const names = functionNames ?? [...typesOf.keys()];
  const exported = section(SECTION.export).vector((one) => readExport(one, names));
  const bodies = section(SECTION.code).vector((one) => readBody(one, names));
  const data = sections.get(SECTION.data);
  return {
    functions: new Map(names.map((name, i) => [name, { type: types[typesOf[i]], ...bodies[i] }])),
    exports: new Map(exported),
    data: data && [...bytes.subarray(data.start, data.end)],
  };
}
