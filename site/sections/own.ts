import { entropy, inspectLogits, softmax, topK } from 'softmax-wasm';
import { formatProbability } from '../lib/bar.js';
import { make, part, sectionOf } from '../lib/dom.js';
import { isNpy, type Numbers, parseNpy, parseText } from '../lib/parse.js';

const INITIAL = '2.0, 1.0, 0.1, -1.0\n0.3, 0.2, 4.0, 1.5\n0.25, 0.25, 0.25, 0.25';
const LIKELIEST = 5;
/** Rows beyond these are counted and inspected, but not listed. */
const MOST_ROWS = 20;

export function showOwnLogits(): void {
  const section = sectionOf('own');
  const text = part(section, 'text', HTMLTextAreaElement);
  const file = part(section, 'file', HTMLInputElement);
  const summary = part(section, 'summary', HTMLParagraphElement);
  const warnings = part(section, 'warnings', HTMLUListElement);
  const rows = part(section, 'rows', HTMLTableSectionElement);

  /** Shows the numbers, or why they cannot be read. */
  function show(read: () => Numbers): void {
    warnings.replaceChildren();
    rows.replaceChildren();
    try {
      const numbers = read();
      const { data, shape } = numbers;
      if (data.length === 0) throw new RangeError('There are no numbers.');
      const report = inspectLogits(data, { shape });
      summary.textContent = `Shape [${shape.join(', ')}], ${report.rows} rows of ${report.classes} classes, values from ${digits(report.min)} to ${digits(report.max)}.`;
      warnings.append(...report.warnings.map((warning) => make('li', {}, warning)));
      rows.append(...describeRows(numbers, report.rows, report.classes));
    } catch (error) {
      summary.textContent = error instanceof Error ? error.message : String(error);
    }
  }

  async function showFile(chosen: File): Promise<void> {
    const buffer = await chosen.arrayBuffer();
    show(() => (isNpy(buffer) ? parseNpy(buffer) : parseText(new TextDecoder().decode(buffer))));
  }

  text.addEventListener('input', () => show(() => parseText(text.value)));
  file.addEventListener('change', () => {
    if (file.files?.[0] !== undefined) showFile(file.files[0]);
  });
  // Only files are handled here: dragged text goes to the text area as usual.
  section.addEventListener('dragover', (event) => {
    if (event.dataTransfer?.types.includes('Files')) event.preventDefault();
  });
  section.addEventListener('drop', (event) => {
    const dropped = event.dataTransfer?.files[0];
    if (dropped === undefined) return;
    event.preventDefault();
    showFile(dropped);
  });
  text.value = INITIAL;
  show(() => parseText(INITIAL));
}

/** A line of the table for each of the first rows. */
function describeRows({ data }: Numbers, rows: number, classes: number): HTMLTableRowElement[] {
  const count = Math.min(rows, MOST_ROWS);
  const shape = [count, classes];
  const listed = data.subarray(0, count * classes);
  const k = Math.min(LIKELIEST, classes);
  const { values, indices } = topK(softmax(listed, { shape }), k, { shape });
  const nats = entropy(listed, { shape });
  return Array.from({ length: count }, (_, row) => {
    const likeliest = Array.from({ length: k }, (_, rank) => {
      const at = row * k + rank;
      return `${indices[at]}: ${formatProbability(values[at]!)}`;
    });
    return make(
      'tr',
      {},
      make('th', { scope: 'row' }, String(row)),
      make('td', {}, likeliest.join('; ')),
      make('td', {}, nats[row]!.toFixed(4)),
    );
  });
}

/** At most six digits. */
function digits(value: number): string {
  return String(Number(value.toPrecision(6)));
}
