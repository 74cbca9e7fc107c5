/** The scripts that the modules and src/generated/ are made with. */
export const MODULE_SCRIPTS = [
  'build-wasm',
  'check-module',
  'functions',
  'kernels',
  'low-constants',
  'module-sources',
  'order-module',
  'pack',
].map((name) => `scripts/${name}.mjs`);
