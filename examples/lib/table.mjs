/** Lines of cells as text, with the first column aligned to the left and the others to the right. */
export function table(lines) {
  const widths = lines[0].map((_, column) => Math.max(...lines.map((cells) => String(cells[column]).length)));
  return lines
    .map((cells) =>
      cells
        .map((cell, column) => (column === 0 ? String(cell).padEnd(widths[0]) : String(cell).padStart(widths[column])))
        .join('   ')
        .trimEnd(),
    )
    .join('\n');
}

/** A number with three digits after the point, or in exponential form if it is tiny. */
export function short(value) {
  if (Number.isInteger(value) || !Number.isFinite(value)) return String(value);
  return Math.abs(value) < 1e-3 ? value.toExponential(1) : value.toFixed(3);
}
