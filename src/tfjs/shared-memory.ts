import { EmbeddedModules } from '../wasm/backend.js';
import { link, type ModuleBackend, type Program } from '../wasm/link.js';

/** Our modules, compiled for a memory that threads share. */
export class SharedModules extends EmbeddedModules {
  protected override compile(name: ModuleBackend, program: Program): WebAssembly.Module {
    return new WebAssembly.Module(link(program, name, true));
  }
}
