/** The examples in the doc comments of src/, as programs. */

import { listFilesBelow, readText } from './platform.js';

export interface Example {
  /** The file, and the number of the example in it. */
  readonly name: string;
  /** The lines of code. */
  readonly lines: readonly string[];
  /** The export whose comment has it. */
  readonly of?: string | undefined;
}

/** A doc comment, and the export that follows it. */
const COMMENT = /\/\*\*([\s\S]*?)\*\/(?:\s*(?:\/\/.*\s*)?export (?:async )?(?:function|const|class) (\w+))?/g;

/** Folders whose examples need another library, and are run beside that. */
const HOSTS = ['tfjs', 'transformers'];

/** The code between each `@example` and the next tag or the end of its comment, in a host's folder or outside of these. */
export async function documentedExamples(host?: string): Promise<Example[]> {
  const files = (await listFilesBelow('src')).filter((file) => {
    const [folder = ''] = file.split('/');
    const isWanted = host === undefined ? !HOSTS.includes(folder) : folder === host;
    return isWanted && file.endsWith('.ts') && folder !== 'generated';
  });
  const examples: Example[] = [];
  for (const file of files) {
    let count = 0;
    for (const [, comment, of] of (await readText(`src/${file}`)).matchAll(COMMENT)) {
      const text = comment!.replace(/^[ \t]*\* ?/gm, '');
      for (const part of text.split(/^@example\b/m).slice(1)) {
        const lines = (part.split(/^@\w/m)[0] as string).split('\n').filter((line) => line.trim() !== '');
        examples.push({ name: `${file} ${++count}`, lines, of });
      }
    }
  }
  return examples;
}

/** The programs of a page, named by their first line of code, and the names that each imports from the package. */
export function programsIn(page: string): (Example & { readonly imported: readonly string[] })[] {
  return [...page.matchAll(/```js\n([\s\S]*?)```/g)].map(([, text]) => {
    const lines = text!.split('\n');
    const isImport = (line: string) => line.startsWith('import ');
    const imported = /\{(.*)\} from 'softmax-wasm'/.exec(lines.filter(isImport).join('\n'))?.[1] ?? '';
    return {
      name: lines.find((line) => /^(?:async )?(?:function|const)/.test(line)) ?? lines[0]!,
      imported: imported.split(',').map((name) => name.trim()),
      lines: lines.filter((line) => !isImport(line)),
    };
  });
}

/** A value in the notation of the examples: numbers are rounded to three decimals. */
export function written(value: unknown): string {
  if (typeof value === 'number') return String(Number.isFinite(value) ? Number(value.toFixed(3)) + 0 : value);
  if (typeof value === 'string') return `'${value}'`;
  if (typeof value !== 'object' || value === null) return String(value);
  if (ArrayBuffer.isView(value)) {
    return `${value.constructor.name} ${written(Array.from(value as Float32Array))}`;
  }
  if (Array.isArray(value)) return `[${value.map(written).join(', ')}]`;
  const fields = Object.entries(value).map(([key, field]) => `${key}: ${written(field)}`);
  return `{ ${fields.join(', ')} }`;
}

/** An expression at the end of a line, followed by a comment with its value. */
const TOLD = /^(?!(?:const|let|using|import)\b)(.*); \/\/ (.*)$/;

/**
 * Runs an example with these names in scope and returns pairs of the documented and the actual value. `await` may occur
 * anywhere, and the names may be redeclared.
 */
export async function runDocumented(
  { lines }: Example,
  names: Readonly<Record<string, unknown>>,
): Promise<{ told: string; got: string }[]> {
  const pairs: { told: string; got: string }[] = [];
  const record = (value: unknown, told: string) => {
    const got = written(value);
    // A long text may be documented by its beginning.
    const isBeginning = told.endsWith("…'") && got.startsWith(told.slice(0, -2));
    pairs.push({ told, got: isBeginning ? told : got });
  };
  const body = lines.map((line) =>
    line.replace(TOLD, (_, code, told) => `record((${code}), ${JSON.stringify(told)});`),
  );
  const AsyncFunction = (async () => undefined).constructor as new (
    ...source: string[]
  ) => (...given: unknown[]) => Promise<void>;
  const keys = Object.keys(names).filter((name) => name !== 'default');
  const run = new AsyncFunction('record', ...keys, `{\n${body.join('\n')}\n}`);
  await run(record, ...keys.map((key) => names[key]));
  return pairs;
}
