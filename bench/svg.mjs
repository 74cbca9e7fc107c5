// Pieces of a picture. It needs no font, script or style from elsewhere.

export const INK = '#1f2328';
export const FAINT = '#6b7280';
export const GRID = '#e5e7eb';
export const COLOURS = { ours: '#0b62d6', theirs: '#8a919c' };

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

export function dot(x, y, stroke, fill = stroke) {
  const [cx, cy] = coordinates(x, y);
  return `<circle cx="${cx}" cy="${cy}" r="3.5" fill="${fill}" stroke="${stroke}" stroke-width="1.5"/>`;
}

/** The file, of its title and its parts. */
export function picture(title, width, height, parts) {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    text(24, 32, title, { size: 20, weight: 600 }),
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

/** Whole powers of ten around the values. @returns the place of a value between 0 and 1, and the powers */
export function logarithmic(lowest, highest) {
  const from = Math.floor(Math.log10(lowest));
  const to = Math.max(Math.ceil(Math.log10(highest)), from + 1);
  const powers = Array.from({ length: to - from + 1 }, (_, i) => from + i);
  return { place: (value) => (Math.log10(value) - from) / (to - from), powers };
}
