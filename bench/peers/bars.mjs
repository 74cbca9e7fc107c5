// Draws the README's chart: the time of a softmax in five implementations, with the largest error of each, and what
// ours adds to a page.
import { COLOURS, FAINT, INK, line, picture, rectangle, text } from '../svg.mjs';
import { formatRatio, formatTime } from '../table.mjs';
import { HAND_WRITTEN, OURS } from './peers.mjs';

const OPERATION = 'softmax';
const LABEL = '256 × 1024';
const SHOWN = [OURS[0], 'tfjs-wasm', 'onnxruntime-web', 'jax-js', HAND_WRITTEN];

const WIDTH = 760;
const NAMES = 170;
const FIGURES = 230;
const MARGIN = 24;
const BAR = 16;
const STEP = 30;
const TOP = 84;

/** @returns {string} the SVG of a report of run.mjs; `kilobytes` is the size of a bundle with our softmax alone */
export function drawBars({ machine, date, results, versions }, kilobytes) {
  const lines = SHOWN.map((peer) => {
    const found = results.find((it) => it.operation === OPERATION && it.label === LABEL && it.peer === peer);
    if (found === undefined) throw new Error(`the run has no ${OPERATION} ${LABEL} of ${peer}`);
    return found;
  });
  const longest = Math.max(...lines.map(({ nanoseconds }) => nanoseconds));
  const [from, to] = [MARGIN + NAMES, WIDTH - MARGIN - FIGURES];
  const bars = lines.map(({ peer, nanoseconds, ratios, error }, i) => {
    const isOurs = peer === OURS[0];
    const y = TOP + i * STEP;
    const style = { weight: isOurs ? 600 : 400, fill: isOurs ? COLOURS.ours : INK };
    const name = isOurs ? 'softmax-wasm' : `${peer} ${versions[peer] ?? ''}`;
    const ratio = isOurs ? '' : `${formatRatio(ratios[OURS[0]])} ×`;
    const at = WIDTH - MARGIN;
    return [
      text(from - 8, y + 12, name.trim(), { ...style, anchor: 'end' }),
      rectangle(from, y, ((to - from) * nanoseconds) / longest, BAR, isOurs ? COLOURS.ours : COLOURS.theirs),
      text(at - 160, y + 12, formatTime(nanoseconds), { ...style, anchor: 'end' }),
      text(at - 90, y + 12, ratio, { ...style, anchor: 'end' }),
      text(at, y + 12, error.toExponential(1), { ...style, anchor: 'end' }),
    ].join('\n');
  });
  const bottom = TOP + lines.length * STEP;
  const head = (x, words) => text(x, TOP - 12, words, { size: 11, fill: FAINT, anchor: 'end' });
  return picture(`${OPERATION} of ${LABEL} logits`, WIDTH, bottom + 34, [
    text(
      MARGIN,
      52,
      `Time of a call, float32, one thread; the largest relative error. Ours adds ${kilobytes.toFixed(0)} KB gzipped to a page.`,
      { fill: FAINT },
    ),
    head(WIDTH - MARGIN - 160, 'time'),
    head(WIDTH - MARGIN - 90, 'times ours'),
    head(WIDTH - MARGIN, 'error'),
    line(from, TOP - 6, from, bottom - 6, FAINT),
    ...bars,
    text(MARGIN, bottom + 20, `${machine.cpu}, Node ${machine.node}, ${date.slice(0, 10)}`, { size: 11, fill: FAINT }),
  ]);
}
