// Prints a line for each size, with a column for each contender.
const SIZE = 20;
const FIGURES = 20;

/** A size such as 4.0 KB or 8.0 GB. */
export function formatBytes(bytes) {
  const power = Math.min(3, Math.max(0, Math.floor(Math.log10(bytes) / 3)));
  return `${(bytes / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${['bytes', 'KB', 'MB', 'GB'][power]}`;
}

export const formatElements = (elements) => `10${superscript(Math.log10(elements))}`;
const superscript = (power) => String(power).replace(/\d/g, (digit) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[digit]);

function printLine(first, cells) {
  console.log(first.padEnd(SIZE) + cells.map((cell) => cell.padStart(FIGURES)).join(''));
}

export function printHeader(contenders) {
  printLine('\nelements', ['data', ...contenders, 'linear memory']);
}

/** @param lines one for each contender, in the header's order; undefined if it was not timed */
export function printCase(label, lines) {
  const timed = lines.filter((it) => it !== undefined);
  const times = lines.map((it) => (it === undefined ? '–' : `${it.nanosecondsPerElement.toPrecision(3)} ns`));
  const data = formatBytes(2 * Float32Array.BYTES_PER_ELEMENT * timed[0].held);
  printLine(label, [data, ...times, formatBytes(Math.max(...timed.map(({ linearMemory }) => linearMemory)))]);
}
