const COLOURS = [
  [228, 87, 86],
  [84, 162, 75],
  [76, 120, 168],
  [245, 175, 65],
];

/**
 * Draws the plane from -1 to 1 in both directions. Each cell shows its most probable class: as a colour, brighter for
 * higher probabilities, or, without colours, as a letter, which is a capital if the probability is above 0.9.
 *
 * @param classify points [x, y, x, y, …] → probabilities, row by row.
 */
export function drawRegions(classify, classes, { width = 56, height = 24, colour = false } = {}) {
  const points = new Float32Array(width * height * 2);
  for (let cell = 0; cell < width * height; cell++) {
    points[2 * cell] = (2 * (cell % width) + 1) / width - 1;
    points[2 * cell + 1] = 1 - (2 * Math.floor(cell / width) + 1) / height;
  }
  const probabilities = classify(points);
  const cells = Array.from({ length: width * height }, (_, cell) => {
    const row = probabilities.subarray(cell * classes, (cell + 1) * classes);
    const p = Math.max(...row);
    return colour ? block(row.indexOf(p), p) : letter(row.indexOf(p), p);
  });
  return Array.from({ length: height }, (_, line) => cells.slice(line * width, (line + 1) * width).join('')).join('\n');
}

function letter(index, p) {
  return String.fromCharCode((p > 0.9 ? 65 : 97) + index);
}

function block(index, p) {
  const [r, g, b] = COLOURS[index % COLOURS.length].map((channel) => Math.round(channel * (0.35 + 0.65 * p * p)));
  return `\x1b[48;2;${r};${g};${b}m \x1b[0m`;
}

const SHADES = [' ', '░', '▒', '▓', '█'];

/** Draws numbers from 0 to 1 as a line of shades, each two characters wide; null is a dot. */
export function drawShades(values, { colour = false } = {}) {
  return values.map((value) => (value === null ? '· ' : shade(value, colour))).join('');
}

function shade(value, colour) {
  if (!colour) return SHADES[Math.min(Math.floor(value * SHADES.length), SHADES.length - 1)].repeat(2);
  const [r, g, b] = [24, 28, 40].map((dark, i) => Math.round(dark + value * ([255, 214, 102][i] - dark)));
  return `\x1b[48;2;${r};${g};${b}m  \x1b[0m`;
}
