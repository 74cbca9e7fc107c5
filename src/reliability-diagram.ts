import { type CalibrationBin, inUnit } from './call/bins.js';
import { readingError } from './call/caller.js';
import { readList } from './call/json.js';
import { AS_IF_POLLUTED, type OptionNames, readOptions } from './call/options.js';
import { typeError } from './errors.js';
import { readNumber, readWhole } from './numbers.js';
import type { Calibration } from './ops/calibrationError.js';

/** Options of {@link reliabilityDiagram}. */
export interface ReliabilityDiagramOptions {
  /** Width in pixels, from 240 to 4000. Default 480. */
  width?: number | undefined;
  /** Height in pixels, from 240 to 4000. Default 480. */
  height?: number | undefined;
  /** A title above the diagram. Default: none. */
  title?: string | undefined;
}

const OPERATION = 'reliabilityDiagram';
const OPTIONS: OptionNames<ReliabilityDiagramOptions> = { width: true, height: true, title: true };
const SIZES = [240, 4000] as const;

/** A bin that holds rows. */
type Drawn = Readonly<CalibrationBin>;
interface Figures {
  readonly ece: number;
  readonly rows: number;
  readonly bins: readonly Drawn[];
}

/**
 * Reads what calibrationError gave, also after a round trip through JSON, where NaN becomes null. @throws TypeError,
 * RangeError
 */
function readCalibration(calibration: unknown): Figures {
  const expected = 'what calibrationError gives';
  try {
    if (typeof calibration !== 'object' || calibration === null) {
      throw typeError(OPERATION, 'calibration', calibration, expected);
    }
    const { ece, bins } = calibration as Partial<Calibration>;
    if (bins === undefined) throw typeError(OPERATION, 'calibration', calibration, `${expected}, or a state's value`);
    const all = Array.from(readList(OPERATION, 'calibration.bins', bins), readBin);
    const drawn = all.filter((bin) => bin !== undefined);
    const rows = drawn.reduce((sum, { count }) => sum + count, 0);
    return { ece: ece === null ? Number.NaN : readFigure('calibration.ece', ece), rows, bins: drawn };
  } catch (error) {
    throw readingError(error, OPERATION, 'calibration', calibration, expected);
  }
}

/** A bin; undefined if it holds no rows, and then only its count is a number. */
function readBin(bin: unknown, index: number): Drawn | undefined {
  const name = `calibration.bins[${index}]`;
  if (typeof bin !== 'object' || bin === null) throw typeError(OPERATION, name, bin, 'a bin');
  const { lower, upper, count, confidence, accuracy } = bin as Partial<CalibrationBin>;
  if (readWhole(OPERATION, `${name}.count`, count) === 0) return undefined;
  return {
    lower: readFigure(`${name}.lower`, lower),
    upper: readFigure(`${name}.upper`, upper),
    count: count!,
    confidence: readFigure(`${name}.confidence`, confidence ?? Number.NaN),
    accuracy: readFigure(`${name}.accuracy`, accuracy ?? Number.NaN),
  };
}

function readFigure(argument: string, value: unknown): number {
  return readNumber(OPERATION, argument, value, 'a number', () => true);
}

function readSize(argument: string, size: unknown): number {
  const [least, most] = SIZES;
  if (size === undefined) return 480;
  return readNumber(OPERATION, argument, size, `a number in [${least}, ${most}]`, (n) => n >= least && n <= most);
}

/** The text, escaped for XML; characters that XML does not allow are replaced. */
function escapeXml(text: string): string {
  return text
    .replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\uFFFD')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/"/g, '&quot;');
}

/** Colours with enough contrast, which colour-blind readers can tell apart. */
const LIGHT = { back: '#fff', ink: '#1f2328', faint: '#d1d9e0', bar: '#4078c0', gap: '#d1622b' };
const DARK: typeof LIGHT = { back: '#0d1117', ink: '#e6edf3', faint: '#3d444d', bar: '#6ca4f8', gap: '#f0883e' };

/**
 * The rules that apply the colours. CSS variables would be shorter, but programs that convert SVG to PDF do not know
 * them.
 */
function colourRules({ back, ink, faint, bar, gap }: typeof LIGHT): string {
  return [
    `.reliability .back{fill:${back}}`,
    `.reliability text{fill:${ink}}`,
    `.reliability .axis,.reliability .ideal{stroke:${ink}}`,
    `.reliability .grid{stroke:${faint}}`,
    `.reliability .bar{fill:${bar};stroke:${back}}`,
    `.reliability .gap{fill:${gap};stroke:${gap}}`,
    `.reliability .note{stroke:${back}}`,
  ].join('\n');
}

function styleSheet(): string {
  return `
.reliability{font-family:system-ui,sans-serif;font-size:12px}
.reliability .title{font-size:15px;font-weight:600}
.reliability .axis{fill:none}
.reliability .ideal{stroke-dasharray:5 4}
.reliability .gap{fill-opacity:.45}
.reliability .note{stroke-width:4px;paint-order:stroke;stroke-linejoin:round}
${colourRules(LIGHT)}
@media (prefers-color-scheme:dark){
${colourRules(DARK)}
}
`;
}

const TICKS = [0, 0.2, 0.4, 0.6, 0.8, 1];

/** A part of the picture, both of whose axes run from 0 to 1. */
class Panel {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;

  constructor(left: number, top: number, right: number, bottom: number) {
    this.left = left;
    this.top = top;
    this.right = right;
    this.bottom = bottom;
  }

  x(value: number): number {
    return round(this.left + inUnit(value) * (this.right - this.left));
  }

  y(value: number): number {
    return round(this.bottom - inUnit(value) * (this.bottom - this.top));
  }

  /** A rectangle between two values of each axis; none for NaN. */
  rect(kind: string, left: number, right: number, from: number, to: number): string {
    if (!(from <= to || to <= from)) return '';
    const width = round(this.x(right) - this.x(left));
    const height = round(Math.abs(this.y(to) - this.y(from)));
    return `<rect class="${kind}" x="${this.x(left)}" y="${this.y(Math.max(from, to))}" width="${width}" height="${height}"/>`;
  }

  line(kind: string, x1: number, y1: number, x2: number, y2: number): string {
    return `<line class="${kind}" x1="${this.x(x1)}" y1="${this.y(y1)}" x2="${this.x(x2)}" y2="${this.y(y2)}"/>`;
  }

  /** Its left and lower sides. */
  get axes(): string {
    return `<path class="axis" d="M${this.x(0)} ${this.y(1)}V${this.y(0)}H${this.x(1)}"/>`;
  }
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function text(content: string, x: number, y: number, rest = ''): string {
  return `<text x="${round(x)}" y="${round(y)}"${rest}>${escapeXml(content)}</text>`;
}

const MIDDLE = ' text-anchor="middle"';
const END = ' text-anchor="end"';

/** The name of a panel's vertical axis. */
function sideways(name: string, { top, bottom }: Panel): string {
  return text(name, 0, 0, `${MIDDLE} transform="translate(16 ${round((top + bottom) / 2)}) rotate(-90)"`);
}

/** Accuracy against confidence: a bar for each bin, what is missing or too much, and the diagonal. */
function accuracyPanel(panel: Panel, { ece, rows, bins }: Figures): string[] {
  const grid = TICKS.slice(1).flatMap((tick) => [
    panel.line('grid', tick, 0, tick, 1),
    panel.line('grid', 0, tick, 1, tick),
  ]);
  const bars = bins.map(({ lower, upper, accuracy }) => panel.rect('bar', lower, upper, 0, accuracy));
  const gaps = bins.map(({ lower, upper, accuracy, confidence }) => {
    return panel.rect('gap', lower, upper, accuracy, confidence);
  });
  const labels = TICKS.map((tick) => text(tick.toFixed(1), panel.left - 8, panel.y(tick) + 4, END));
  const notes = [`ECE ${ece.toFixed(3)}`, `${rows} rows`].map((note, i) => {
    return text(note, panel.left + 10, panel.top + 20 + 17 * i, ' class="note"');
  });
  return [
    ...grid,
    ...bars,
    ...gaps,
    panel.line('ideal', 0, 0, 1, 1),
    panel.axes,
    ...labels,
    sideways('Accuracy', panel),
    ...notes,
  ];
}

/** How many rows each bin holds. */
function countPanel(panel: Panel, { bins }: Figures): string[] {
  const most = bins.reduce((largest, { count }) => Math.max(largest, count), 0);
  const bars = bins.map(({ lower, upper, count }) => panel.rect('bar', lower, upper, 0, count / most));
  const labels = TICKS.map((tick) => text(tick.toFixed(1), panel.x(tick), panel.bottom + 16, MIDDLE));
  const largest = text(String(most), panel.left - 8, panel.top + 8, END);
  const name = text('Confidence', (panel.left + panel.right) / 2, panel.bottom + 36, MIDDLE);
  return [...bars, panel.axes, ...labels, largest, name, sideways('Rows', panel)];
}

/** What the colours mean, in a line that ends at `right`. */
function legend(right: number, y: number): string[] {
  const entry = (kind: string, name: string, x: number) => [
    `<rect class="${kind}" x="${round(x)}" y="${y - 10}" width="12" height="12"/>`,
    text(name, x + 17, y),
  ];
  return [...entry('bar', 'Accuracy', right - 214), ...entry('gap', 'Gap to confidence', right - 128)];
}

/**
 * Draws the reliability diagram of a classifier in SVG: the accuracy of each bin against its confidence, the gap
 * between the two, the diagonal of a perfectly calibrated classifier, the expected calibration error, and the number of
 * rows in each bin. It follows the reader's light or dark colour scheme.
 *
 * Write the result to a file, set it as `innerHTML`, or use it as an image with `data:image/svg+xml,` and
 * encodeURIComponent. It holds no script, and the title is escaped. After Guo et al., On calibration of modern neural
 * networks, 2017.
 *
 * @param calibration the result of {@link calibrationError}, the value of a `calibrationState`, or either after a round
 * trip through JSON.
 * @returns the text of an SVG document.
 * @throws TypeError for anything else or an unknown option, RangeError for a width or height outside [240, 4000].
 *
 * @example
 * const calibration = calibrationError([0.1, 0.4, 0.8, 0.9], [0, 1, 1, 1], { from: 'probabilities', bins: 5 });
 * reliabilityDiagram(calibration, { title: 'Validation' }); // '<svg xmlns="http://www.w3.org/2000/svg" class="reli…'
 */
export function reliabilityDiagram(calibration: Calibration, options?: ReliabilityDiagramOptions): string {
  const figures = readCalibration(calibration);
  const given = readOptions<ReliabilityDiagramOptions>(OPERATION, options, OPTIONS, AS_IF_POLLUTED);
  const width = readSize('width', given.width);
  const height = readSize('height', given.height);
  const { title = '' } = given;
  if (typeof title !== 'string') throw typeError(OPERATION, 'title', title, 'a string');

  const [left, right] = [60, width - 20];
  const [top, bottom] = [title === '' ? 30 : 62, height - 46];
  const strip = (bottom - top) / 6;
  const accuracies = new Panel(left, top, right, bottom - strip - 14);
  const counts = new Panel(left, bottom - strip, right, bottom);
  const { ece, rows, bins } = figures;
  const about = `Accuracy against confidence of ${rows} rows in ${bins.length} bins; expected calibration error ${ece}.`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" class="reliability" role="img" width="${width}" height="${height}" ` +
      `viewBox="0 0 ${width} ${height}">`,
    `<title>${escapeXml(title === '' ? 'Reliability diagram' : title)}</title>`,
    `<desc>${escapeXml(about)}</desc>`,
    `<style>${styleSheet()}</style>`,
    '<rect class="back" width="100%" height="100%"/>',
    ...(title === '' ? [] : [text(title, (left + right) / 2, 28, `${MIDDLE} class="title"`)]),
    ...accuracyPanel(accuracies, figures),
    ...legend(right, top - 10),
    ...countPanel(counts, figures),
    '</svg>\n',
  ].join('\n');
}
