// Draws all results: a panel for each operation, with a block for each shape. A block has a line for each peer, with a
// dot on a logarithmic scale and the figures to its right.
import { COLOURS, dot, FAINT, GRID, INK, line, logarithmic, PAPER, picture, text } from '../svg.mjs';
import { formatRatio, formatTime } from '../table.mjs';
import { NATIVE, OURS } from './peers.mjs';

/** Blocks side by side: for a wide screen, and for a narrow one. */
export const WIDE = 3;
export const NARROW = 1;
const BLOCK = { width: 388, names: 120, figures: 108, title: 34, line: 17, axis: 26, gap: 22 };
const MARGIN = 24;
const HEADER = 74;
const PANEL_TITLE = 30;

const EXPLANATION =
  'Billions of float32 elements in a second: further to the right is faster, each grid line ten times the one before. ' +
  'Beside it the time of a call, and how many times that of ours.';

/** What a dot looks like: its outline and its inside. */
const KINDS = {
  'softmax-wasm': [COLOURS.ours, COLOURS.ours],
  'JavaScript and WebAssembly': [COLOURS.theirs, COLOURS.theirs],
  'native code': [COLOURS.theirs, PAPER],
};
const [OUR_KIND, WEB_KIND, NATIVE_KIND] = Object.keys(KINDS);

function kindOf(peer) {
  if (OURS.includes(peer)) return OUR_KIND;
  return NATIVE.includes(peer) ? NATIVE_KIND : WEB_KIND;
}

/** @returns {string} the SVG of a report of run.mjs, with this many blocks side by side */
export function drawChart({ machine, date, results, versions }, columns = WIDE) {
  const lines = results
    .filter(({ problem, shape }) => !problem && shape !== undefined)
    .map((it) => ({ ...it, speed: it.elements / it.nanoseconds }));
  const speeds = lines.map(({ speed }) => speed);
  const scale = logarithmic(Math.min(...speeds), Math.max(...speeds));

  const parts = [];
  const width = 2 * MARGIN + columns * BLOCK.width + (columns - 1) * BLOCK.gap;
  const explanation = wrap(EXPLANATION, width - 2 * MARGIN);
  const top = HEADER + (columns === NARROW ? BLOCK.line * 2 : 0);
  let y = top + (explanation.length - 1) * BLOCK.line;
  for (const panel of layOut(lines, columns)) {
    let x = MARGIN;
    for (const { operation, blocks } of panel.operations) {
      const span = blocks.length * (BLOCK.width + BLOCK.gap) - BLOCK.gap;
      parts.push(text(x, y + 18, operation, { size: 15, weight: 600 }));
      parts.push(line(x, y + 25, x + span, y + 25, FAINT));
      for (const block of blocks) {
        parts.push(drawBlock(block, scale, x, y + PANEL_TITLE));
        x += BLOCK.width + BLOCK.gap;
      }
    }
    y += PANEL_TITLE + panel.height;
  }

  const peers = Object.entries(versions).filter(([, version]) => version !== '');
  const caption = `${machine.cpu}, one thread, Node ${machine.node}, ${date.slice(0, 10)}. ${peers.map((it) => it.join(' ')).join(', ')}.`;
  const captions = wrap(caption, width - 2 * MARGIN);
  const height = y + MARGIN + captions.length * 14;
  return picture('softmax-wasm beside its peers', width, height, [
    ...explanation.map((words, i) => text(MARGIN, top - 18 + i * BLOCK.line, words, { fill: FAINT })),
    ...Object.keys(KINDS).map((kind, i) => {
      const [x, base] =
        columns === NARROW ? [MARGIN + 4 + [0, 105, 302][i], 56] : [width - MARGIN - 400 + [0, 115, 310][i], 32];
      return `${dot(x, base - 4, ...KINDS[kind])}${text(x + 9, base, kind, { fill: kind === OUR_KIND ? COLOURS.ours : INK })}`;
    }),
    ...parts,
    ...captions.map((words, i) => text(MARGIN, y + 16 + i * 14, words, { size: 11, fill: FAINT })),
  ]);
}

/** Breaks a text into lines of whole words, assuming letters of average width. */
function wrap(words, width) {
  const lines = [''];
  for (const word of words.split(' ')) {
    const longer = `${lines[lines.length - 1]} ${word}`.trim();
    if (longer.length * 6.2 <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/** Puts operations side by side while their blocks fit. One with more blocks than columns continues below. */
function layOut(lines, columns) {
  const panels = [];
  let free = 0;
  for (const ofOperation of groupBy(lines, ({ operation }) => operation)) {
    const blocks = groupBy(ofOperation, ({ label }) => label);
    for (let first = 0; first < blocks.length; first += columns) {
      const some = blocks.slice(first, first + columns);
      if (free < some.length) {
        panels.push({ operations: /** @type {any[]} */ ([]), height: 0 });
        free = columns;
      }
      free -= some.length;
      const panel = panels[panels.length - 1];
      panel.operations.push({ operation: ofOperation[0].operation, blocks: some });
      const most = Math.max(...some.map((block) => block.length));
      panel.height = Math.max(panel.height, BLOCK.title + most * BLOCK.line + BLOCK.axis + BLOCK.gap);
    }
  }
  return panels;
}

function drawBlock(lines, { place, powers }, left, top) {
  const from = left + BLOCK.names;
  const to = left + BLOCK.width - BLOCK.figures;
  const first = top + BLOCK.title;
  const bottom = first + lines.length * BLOCK.line;
  const x = (speed) => from + place(speed) * (to - from);
  const parts = [text(left, top + 18, lines[0].label, { weight: 600 })];
  for (const power of powers) {
    const at = x(10 ** power);
    parts.push(line(at, first - 6, at, bottom, GRID));
    parts.push(text(at, bottom + 14, 10 ** power, { size: 10, fill: FAINT, anchor: 'middle' }));
  }
  const fastestOfOurs = OURS.find((name) => lines.some(({ peer }) => peer === name));
  const byTime = [...lines].sort((a, b) => a.nanoseconds - b.nanoseconds);
  for (const [i, { peer, speed, nanoseconds, ratios }] of byTime.entries()) {
    const y = first + i * BLOCK.line + BLOCK.line / 2;
    const ours = OURS.includes(peer);
    const style = { size: 11.5, weight: ours ? 600 : 400, fill: ours ? COLOURS.ours : INK };
    parts.push(text(from - 8, y + 4, peer, { ...style, anchor: 'end' }));
    parts.push(line(from, y, x(speed), y, ours ? COLOURS.ours : COLOURS.theirs, ours ? 2 : 1));
    parts.push(dot(x(speed), y, ...KINDS[kindOf(peer)]));
    parts.push(text(to + 62, y + 4, formatTime(nanoseconds), { ...style, anchor: 'end' }));
    const ratio = fastestOfOurs && ratios[fastestOfOurs];
    if (ratio) parts.push(text(left + BLOCK.width, y + 4, `${formatRatio(ratio)} ×`, { ...style, anchor: 'end' }));
  }
  return parts.join('\n');
}

function groupBy(items, key) {
  const groups = {};
  for (const item of items) (groups[key(item)] ??= []).push(item);
  return Object.values(groups);
}
