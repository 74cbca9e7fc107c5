// A transform for the compiler. With `memoryBase` set, the optimizer no longer assumes that the first 1024 bytes are
// unused, and no longer folds small constants into the offsets of loads and stores, which could then wrap around. Only
// read-only constants lie down there, each read at its own address, so the assumption holds and the code is the same as
// without `memoryBase`.
import { Transform } from 'assemblyscript/transform';

export default class LowConstants extends Transform {
  afterCompile() {
    // @ts-expect-error: the compiler puts its own binaryen here.
    this.binaryen.setLowMemoryUnused(true);
  }
}
