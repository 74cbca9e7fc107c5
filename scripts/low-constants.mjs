// A transform for the compiler. With `memoryBase` set, the optimizer no longer assumes that the first 1024 bytes are
// unused, and no longer folds small constants into the offsets of loads and stores, because such an address could wrap
// around. But only read-only constants are there, each read at its own address. So this restores the assumption, and
// the code is the same as without `memoryBase`.
import { Transform } from 'assemblyscript/transform';

export default class LowConstants extends Transform {
  afterCompile() {
    // @ts-expect-error: the types do not declare `binaryen`, which the compiler sets.
    this.binaryen.setLowMemoryUnused(true);
  }
}
