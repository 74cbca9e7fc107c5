// Parts of SVG pictures. The pictures need no external font, script or style, and follow the reader's light or dark
// mode.

export const INK = 'var(--ink)';
export const FAINT = 'var(--faint)';
export const GRID = 'var(--grid)';
export const PAPER = 'var(--paper)';
export const COLOURS = { ours: 'var(--ours)', theirs: 'var(--theirs)' };

const STYLE = [
  'svg { --ink: #1f2328; --faint: #6b7280; --grid: #e5e7eb; --paper: #ffffff; --ours: #0b62d6; --theirs: #8a919c; }',
  '@media (prefers-color-scheme: dark) {',
  'svg { --ink: #e6edf3; --faint: #9198a1; --grid: #30363d; --paper: #0d1117; --ours: #6cb2ff; --theirs: #7d8590; }',
  '}',
].join(' ');

const escaped = (text) => String(text).replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
const coordinates = (...values) => values.map((v) => v.toFixed(1));

export function text(x, y, content, { size = 12, fill = INK, anchor = 'start', weight = 400 } = {}) {
  const [left, base] = coordinates(x, y);
  const style = `font-size="${size}" font-weight="${weight}" fill="${fill}" text-anchor="${anchor}"`;
  return `<text x="${left}" y="${base}" ${style}>${escaped(content)}</text>`;
}

export function line(x1, y1, x2, y2, stroke, width = 1) {
  const at = coordinates(x1, y1, x2, y2);
  return `<line x1="${at[0]}" y1="${at[1]}" x2="${at[2]}" y2="${at[3]}" stroke="${stroke}" stroke-width="${width}"/>`;
}

/** A line through points [x, y]. */
export function path(points, stroke, width = 1) {
  const through = points.map(([x, y]) => coordinates(x, y).join(',')).join(' ');
  return `<polyline points="${through}" fill="none" stroke="${stroke}" stroke-width="${width}"/>`;
}

export function rectangle(x, y, width, height, fill) {
  const [left, top, w, h] = coordinates(x, y, width, height);
  return `<rect x="${left}" y="${top}" width="${w}" height="${h}" fill="${fill}"/>`;
}

export function dot(x, y, stroke, fill = stroke) {
  const [cx, cy] = coordinates(x, y);
  return `<circle cx="${cx}" cy="${cy}" r="3.5" fill="${fill}" stroke="${stroke}" stroke-width="1.5"/>`;
}

/** The content of an SVG file with a title and parts. */
export function picture(title, width, height, parts) {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif">`,
    `<title>${escaped(title)}</title>`,
    `<style>${STYLE}</style>`,
    `<rect width="${width}" height="${height}" fill="${PAPER}"/>`,
    text(24, 32, title, { size: 20, weight: 600 }),
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

/**
 * A logarithmic scale between the whole powers of ten around the values.
 * @returns the place of a value in [0, 1], and the exponents of the powers
 */
export function logarithmic(lowest, highest) {
  const from = Math.floor(Math.log10(lowest));
  const to = Math.max(Math.ceil(Math.log10(highest)), from + 1);
  const powers = Array.from({ length: to - from + 1 }, (_, i) => from + i);
  return { place: (value) => (Math.log10(value) - from) / (to - from), powers };
}
