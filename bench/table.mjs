/** Shows progress on the terminal; an empty text clears it. Does nothing without a terminal. */
export function progress(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

const COLUMNS = [26, 18, 12, 9, 9, 9];

function printLine(cells) {
  console.log(
    cells
      .map((cell, i) => (i < 2 ? cell.padEnd(COLUMNS[i]) : cell.padStart(COLUMNS[i])))
      .join('')
      .trimEnd(),
  );
}

export function printHeader(operation) {
  console.log('');
  printLine([operation, '', 'time', 'G el/s', 'ratio', 'spread']);
}

/** Prints the lines of one case; the first names the case. */
export function printCase(label, lines) {
  for (const [i, { contender, nanoseconds, elementsPerSecond, ratio, spread }] of lines.entries()) {
    printLine([
      i === 0 ? label : '',
      contender,
      formatTime(nanoseconds),
      (elementsPerSecond / 1e9).toPrecision(3),
      `${ratio.toPrecision(3)} ×`,
      `${(100 * spread).toFixed(0)} %`,
    ]);
  }
}

/**
 * The overview has a line for each operation: the time of the first contender, and how many times faster others are.
 */
export function printGlanceHeader(contenders) {
  console.log(`\n${''.padEnd(40)}${contenders.map((name) => name.padStart(18)).join('')}`);
}

export function printGlance(operation, label, lines) {
  const [plain, ...others] = lines;
  const ratios = others.map(({ ratio }) => `${formatRatio(ratio)} ×`.padStart(18));
  console.log(`${operation} ${label}`.padEnd(40) + formatTime(plain.nanoseconds).padStart(18) + ratios.join(''));
}

/** A time in three digits with a suitable unit. */
export function formatTime(nanoseconds) {
  const [scale, unit] = nanoseconds < 1e3 ? [1, 'ns'] : nanoseconds < 1e6 ? [1e3, 'µs'] : [1e6, 'ms'];
  const value = nanoseconds / scale;
  return `${value < 100 ? value.toPrecision(3) : value.toFixed(0)} ${unit}`;
}

export const formatRatio = (ratio) => (ratio < 9.95 ? ratio.toFixed(1) : ratio.toFixed(0));

export function printFirstCall(lines, processes) {
  console.log(`\nFirst call, compile included: the median of ${processes} new processes (from least to most)`);
  for (const { backend, median, least, most, import: imported } of lines) {
    const [time, from, to, before] = [median, least, most, imported].map((ms) => ms.toFixed(1));
    console.log(`${backend.padEnd(26)}${time} ms (${from} to ${to}), after ${before} ms for the import`);
  }
}
