import { EmbeddedModules } from '../wasm/backend.js';
import { embedded, type Family, type ModuleBackend } from '../wasm/embedded.js';

/** Numbers of the binary format: https://webassembly.github.io/spec/core/binary/modules.html */
const HEADER_SIZE = 8;
const IMPORT_SECTION = 2;
const NO_MAXIMUM = 0;
const SHARED_WITH_MAXIMUM = 3;
/** 65536 pages in LEB128. */
const MOST_PAGES = [0x80, 0x80, 0x04];

/** The modules on a memory that threads share. */
export class SharedModules extends EmbeddedModules {
  protected override compile(name: ModuleBackend, family: Family): WebAssembly.Module {
    return new WebAssembly.Module(declareShared(embedded(family, name)));
  }
}

/**
 * The module with the memory that it imports declared shared: engines link no other to a memory that is. The memory is
 * its only import, and its limits end the section: a flag and the fewest pages.
 */
export function declareShared(module: Uint8Array): Uint8Array<ArrayBuffer> {
  const at = findImports(module);
  const [size, start] = readUnsigned(module, at + 1);
  const end = start + size;
  if (module[end - 2] !== NO_MAXIMUM) throw new Error('the memory is not imported as expected');
  const declared = new Uint8Array(module.length + MOST_PAGES.length);
  declared.set(module.subarray(0, end));
  // One byte still holds the size: the section is some twenty bytes long.
  declared[at + 1] = size + MOST_PAGES.length;
  declared[end - 2] = SHARED_WITH_MAXIMUM;
  declared.set(MOST_PAGES, end);
  declared.set(module.subarray(end), end + MOST_PAGES.length);
  return declared;
}

/** Where the import section begins. */
function findImports(module: Uint8Array): number {
  let at = HEADER_SIZE;
  while (module[at] !== IMPORT_SECTION) {
    const [size, start] = readUnsigned(module, at + 1);
    at = start + size;
  }
  return at;
}

/** A number in LEB128, and where it ends. */
function readUnsigned(bytes: Uint8Array, at: number): [value: number, end: number] {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++]!;
    value += (byte & 0x7f) << shift;
    if (byte < 0x80) return [value, at];
  }
}
