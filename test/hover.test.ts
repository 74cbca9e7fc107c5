import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';

const file = fileURLToPath(new URL('hovered.ts', import.meta.url));
let source = '';
let version = 0;
const textOf = (path: string) => (path === file ? source : ts.sys.readFile(path));

/** A language service like an editor's, with one file open. */
const service = ts.createLanguageService({
  getScriptFileNames: () => [file],
  getScriptVersion: (path) => (path === file ? `${version}` : ''),
  getScriptSnapshot: (path) => {
    const text = textOf(path);
    return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
  },
  getCurrentDirectory: () => fileURLToPath(new URL('..', import.meta.url)),
  getCompilationSettings: () => ({
    strict: true,
    exactOptionalPropertyTypes: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    lib: ['lib.es2023.d.ts', 'lib.dom.d.ts', 'lib.esnext.disposable.d.ts'],
    types: [],
  }),
  getDefaultLibFileName: ts.getDefaultLibFilePath,
  fileExists: (path) => path === file || ts.sys.fileExists(path),
  readFile: (path) => textOf(path),
});

/** What the editor shows of a program, at the first place where it reads `name`. */
function hover(program: string, name: string): { type: string; documentation: string } {
  source = `import { crossEntropyWithGrad, logSumExp, softmax } from '../src/index.js';\n${program}`;
  version++;
  const problems = service.getSemanticDiagnostics(file).map(({ messageText }) => messageText);
  expect(problems).toEqual([]);
  const info = service.getQuickInfoAtPosition(file, source.indexOf(name, source.indexOf('\n')))!;
  return {
    type: ts.displayPartsToString(info.displayParts).replaceAll(/\s+/g, ' ').replaceAll('<ArrayBufferLike>', ''),
    documentation: ts.displayPartsToString(info.documentation),
  };
}

describe('an editor shows', () => {
  test('the documentation of an option in a call', () => {
    const { documentation } = hover('softmax([1], { axis: 0, temperature: 2 });', 'temperature');
    expect(documentation).toBe('Divides x first; positive. Default 1.');
    expect(readFileSync(new URL('../src/ops/softmax.ts', import.meta.url), 'utf8')).toContain(documentation);
    expect(hover('logSumExp([1], { keepDims: true });', 'keepDims').documentation).toMatch(/keeps the axis/);
  });

  test('the documentation of a function', () => {
    expect(hover('softmax([1]);', 'softmax').documentation).toMatch(/^Softmax along an axis/);
    expect(hover('softmax([1], { axis: 0 });', 'softmax').documentation).toMatch(/^Softmax along an axis/);
  });

  test('what a result is made of', () => {
    const program = 'const both = crossEntropyWithGrad(new Float32Array(3), 0, { labelSmoothing: 0.1 });';
    expect(hover(program, 'both').type).toBe('const both: { loss: number; grad: Float32Array; }');
    const perRow = "const both = crossEntropyWithGrad([1, 2], [0], { shape: [1, 2], reduction: 'none' });";
    expect(hover(perRow, 'both').type).toBe('const both: { loss: Float32Array; grad: Float32Array; }');
  });
});
