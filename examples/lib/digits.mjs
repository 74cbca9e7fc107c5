import { normal } from './random.mjs';

// Each digit has three columns and five rows of dots, listed row by row.
const FONT = [
  '####.##.##.####',
  '.#.##..#..#.###',
  '###..#####..###',
  '###..#.##..####',
  '#.##.####..#..#',
  '####..###..####',
  '####..####.####',
  '###..#.#..#..#.',
  '####.#####.####',
  '####.####..####',
];
const COLUMNS = 3;
const ROWS = 5;

export const DIGITS = FONT.length;
export const WIDTH = 5;
export const HEIGHT = 6;
export const PIXELS = WIDTH * HEIGHT;

/** Pictures of digits, each somewhere in the frame and covered with noise, and their labels. */
export function makeDigits(count, noise, random) {
  const pictures = Float32Array.from({ length: count * PIXELS }, () => noise * normal(random));
  const labels = Int32Array.from({ length: count }, () => Math.floor(random() * DIGITS));
  for (let i = 0; i < count; i++) {
    const left = Math.floor(random() * (WIDTH - COLUMNS + 1));
    const top = Math.floor(random() * (HEIGHT - ROWS + 1));
    for (const [k, dot] of [...FONT[labels[i]]].entries()) {
      const at = (top + Math.floor(k / COLUMNS)) * WIDTH + left + (k % COLUMNS);
      if (dot === '#') pictures[i * PIXELS + at] += 1;
    }
  }
  return { pictures, labels };
}

/** A picture as text, two characters a pixel. */
export function drawDigit(picture) {
  const shade = (value) => ' ░▒▓█'[Math.max(0, Math.min(4, Math.round(4 * value)))].repeat(2);
  return Array.from({ length: HEIGHT }, (_, row) =>
    Array.from(picture.subarray(row * WIDTH, (row + 1) * WIDTH), shade).join(''),
  ).join('\n');
}
