// Draws a run. The upper panel shows the time per element over the number of elements; the lower one, on the same axis,
// the size of the data and of linear memory. All axes are logarithmic.
import { PLAIN } from '../contender.mjs';
import { COLOURS, dot, FAINT, GRID, INK, line, logarithmic, path, picture, text } from '../svg.mjs';
import { formatBytes, formatElements } from './report.mjs';

const WIDTH = 860;
const LEFT = 84;
const RIGHT = 150;
const PANELS = { time: { top: 112, height: 270 }, memory: { top: 452, height: 170 } };
const HEIGHT = 700;
const STYLES = {
  [PLAIN]: { stroke: COLOURS.theirs, fill: COLOURS.theirs, above: true },
  simd128: { stroke: COLOURS.ours, fill: '#ffffff', above: true },
  'relaxed-simd': { stroke: COLOURS.ours, fill: COLOURS.ours, above: false },
};

/** @returns {string} the SVG of a report of run.mjs */
export function drawChart({ machine, date, results }) {
  const elements = results.map((it) => it.elements);
  const across = logarithmic(Math.min(...elements), Math.max(...elements));
  const x = (value) => LEFT + across.place(value) * (WIDTH - LEFT - RIGHT);
  const caption = `${machine.cpu}, one thread, Node ${machine.node}, ${date.slice(0, 10)}. Rows of 1000 float32, typed arrays in and out; the best of several rounds.`;
  return picture('softmax from a thousand elements to a billion', WIDTH, HEIGHT, [
    text(24, 56, 'Streamed from arrays of JavaScript: the time of an element, and the memory that WebAssembly takes.', {
      fill: FAINT,
    }),
    ...drawTimes(results, across, x),
    ...drawMemory(results, across, x),
    text(24, HEIGHT - 14, caption, { size: 11, fill: FAINT }),
  ]);
}

function drawTimes(results, across, x) {
  const times = results.map(({ nanosecondsPerElement }) => nanosecondsPerElement);
  const { y, parts } = drawAxes(
    'nanoseconds for an element',
    PANELS.time,
    times,
    across,
    x,
    (power) => `${10 ** power} ns`,
  );
  for (const [contender, { stroke, fill, above }] of Object.entries(STYLES)) {
    const points = results.filter((it) => it.contender === contender);
    if (points.length === 0) continue;
    parts.push(
      path(
        points.map((it) => [x(it.elements), y(it.nanosecondsPerElement)]),
        stroke,
        1.5,
      ),
    );
    for (const { elements, nanosecondsPerElement } of points) {
      const [left, top] = [x(elements), y(nanosecondsPerElement)];
      parts.push(dot(left, top, stroke, fill));
      if (!isWholePower(elements)) continue;
      const figure = nanosecondsPerElement.toFixed(nanosecondsPerElement < 10 ? 2 : 1);
      parts.push(text(left, top + (above ? -9 : 18), figure, { size: 11, fill: stroke, anchor: 'middle' }));
    }
    const last = points[points.length - 1];
    const style = { fill: contender === PLAIN ? INK : COLOURS.ours, weight: 600 };
    parts.push(text(x(last.elements) + 12, y(last.nanosecondsPerElement) + (above ? 1 : 7), contender, style));
  }
  return parts;
}

function drawMemory(results, across, x) {
  const ours = results.filter(({ contender }) => contender !== PLAIN);
  const given = ours.map((it) => ({ elements: it.elements, bytes: 2 * Float32Array.BYTES_PER_ELEMENT * it.held }));
  const taken = ours.map((it) => ({ elements: it.elements, bytes: it.linearMemory }));
  const bytes = [...given, ...taken].map((it) => it.bytes);
  const { y, parts } = drawAxes('bytes', PANELS.memory, bytes, across, x, (power) =>
    formatBytes(10 ** power).replace('.0', ''),
  );
  const lines = [
    { points: given, label: 'data in and out', stroke: COLOURS.theirs, ink: INK },
    { points: taken, label: 'linear memory', stroke: COLOURS.ours, ink: COLOURS.ours },
  ];
  for (const { points, label, stroke, ink } of lines) {
    parts.push(
      path(
        points.map((it) => [x(it.elements), y(it.bytes)]),
        stroke,
        1.5,
      ),
    );
    for (const it of points) parts.push(dot(x(it.elements), y(it.bytes), stroke));
    const last = points[points.length - 1];
    const at = x(last.elements) + 12;
    parts.push(text(at, y(last.bytes) + 1, label, { fill: ink, weight: 600 }));
    parts.push(text(at, y(last.bytes) + 16, formatBytes(last.bytes), { size: 11, fill: ink }));
  }
  return parts;
}

/** Draws the grid and the labels of a panel. @returns `y`, which places a value, and the parts */
function drawAxes(title, { top, height }, values, across, x, labelOf) {
  const down = logarithmic(Math.min(...values), Math.max(...values));
  const bottom = top + height;
  const y = (value) => bottom - down.place(value) * height;
  const [first, last] = [across.powers[0], across.powers[across.powers.length - 1]].map((power) => x(10 ** power));
  const parts = [text(24, top - 16, title, { weight: 600 })];
  for (const power of down.powers) {
    const at = y(10 ** power);
    parts.push(line(first, at, last, at, power === down.powers[0] ? FAINT : GRID));
    parts.push(text(first - 10, at + 4, labelOf(power), { size: 11, fill: FAINT, anchor: 'end' }));
  }
  for (const power of across.powers) {
    const at = x(10 ** power);
    parts.push(line(at, top, at, bottom, GRID));
    parts.push(text(at, bottom + 18, formatElements(10 ** power), { size: 11, fill: FAINT, anchor: 'middle' }));
  }
  parts.push(text(last, bottom + 36, 'elements', { size: 11, fill: FAINT, anchor: 'end' }));
  return { y, parts };
}

const isWholePower = (value) => Number.isInteger(Math.log10(value));
