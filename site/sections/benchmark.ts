import { BenchmarkRun, casesOf, contendersOf, type Time, whyNoThreads } from '../benchmark/run.js';
import { type Bar, makeBar } from '../lib/bar.js';
import { make, part, sectionOf } from '../lib/dom.js';

const NOT_YET = '…';
const NOTHING = '–';

export function showBenchmark(): void {
  const section = sectionOf('benchmark');
  const summary = part(section, 'summary', HTMLParagraphElement);
  const progress = part(section, 'progress', HTMLProgressElement);
  const markdown = part(section, 'markdown', HTMLTextAreaElement);
  const tfjs = part(section, 'tfjs', HTMLInputElement);
  let running: BenchmarkRun | undefined;

  /** Makes the whole table before a run, so that it does not grow while cells are filled. */
  function layOut(isQuick: boolean, contenders: readonly string[]): Bar[][] {
    part(section, 'contenders', HTMLTableRowElement).replaceChildren(
      ...['Operation', ...contenders].map((name) => make('th', { scope: 'col' }, name)),
    );
    const bars = casesOf(isQuick).map(() => contenders.map(makeBar));
    const rows = casesOf(isQuick).map(({ operation, label }, row) => {
      const cells = bars[row]!.map((bar) => {
        bar.show(0, NOT_YET);
        return bar.cell;
      });
      return make('tr', {}, make('th', { scope: 'row' }, `${operation} ${label}`), ...cells);
    });
    part(section, 'rows', HTMLTableSectionElement).replaceChildren(...rows);
    return bars;
  }

  async function start(isQuick: boolean): Promise<void> {
    running?.stop();
    const contenders = contendersOf(tfjs.checked);
    const bars = layOut(isQuick, contenders);
    const times = bars.map((): Time[] => []);
    progress.value = 0;
    progress.max = bars.length * contenders.length;
    const run = new BenchmarkRun(isQuick, contenders, (time, row, column) => {
      times[row]![column] = time;
      bars[row]![column]!.show(shareOf(time, times[row]![0]), describe(times[row]!, column));
      progress.value++;
    });
    running = run;
    summary.textContent = 'Running.';
    try {
      await run.run();
      markdown.value = markdownOf(contenders, casesOf(isQuick), times);
      summary.textContent = `Done, on ${machine()}: every result was right.`;
    } catch (error) {
      // A run that was replaced by another does not report how it ended.
      if (running === run) summary.textContent = `Ended: ${error instanceof Error ? error.message : String(error)}.`;
    }
  }

  part(section, 'quick', HTMLButtonElement).addEventListener('click', () => start(true));
  part(section, 'full', HTMLButtonElement).addEventListener('click', () => start(false));
  part(section, 'stop', HTMLButtonElement).addEventListener('click', () => running?.stop());
  part(section, 'copy', HTMLButtonElement).addEventListener('click', () => {
    markdown.select();
    // Without a secure connection there is no clipboard, and a browser may refuse it; the text is selected then.
    navigator.clipboard?.writeText(markdown.value).catch(() => {});
  });
  const reason = whyNoThreads();
  part(section, 'threads', HTMLElement).textContent =
    reason === undefined
      ? 'Threads are workers with a set of kernels each, which share the rows.'
      : `There is no column for threads: ${reason}.`;
  layOut(true, contendersOf(false));
}

/** The time as a fraction of that of plain JavaScript. */
function shareOf(time: Time, plain: Time): number {
  return time === undefined ? 0 : Math.min(1, time / plain!);
}

/** The time in a column, and how many times faster that is than plain JavaScript, which is in the first column. */
function describe(times: readonly Time[], column: number): string {
  const time = times[column];
  if (time === undefined) return NOTHING;
  return column === 0 ? formatTime(time) : `${formatTime(time)}, ${formatRatio(times[0]! / time)} ×`;
}

function markdownOf(
  contenders: readonly string[],
  cases: ReturnType<typeof casesOf>,
  times: readonly (readonly Time[])[],
): string {
  const lines = cases.map(({ operation, label }, row) => [
    `${operation} ${label}`,
    ...contenders.map((_, column) => describe(times[row]!, column)),
  ]);
  const table = [['operation', ...contenders], ['---', ...contenders.map(() => '---:')], ...lines];
  return `${machine()}\n\n${table.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}\n`;
}

function formatTime(nanoseconds: number): string {
  const [value, unit] = nanoseconds < 1e6 ? [nanoseconds / 1e3, 'µs'] : [nanoseconds / 1e6, 'ms'];
  return `${value < 100 ? value.toPrecision(3) : value.toFixed(0)} ${unit}`;
}

function formatRatio(ratio: number): string {
  return ratio < 10 ? ratio.toPrecision(2) : ratio.toFixed(0);
}

/** The browser and the number of cores. */
function machine(): string {
  const browser = navigator.userAgent.match(/(?:Firefox|Chrome|Version)\/\d+/)?.[0].replace('/', ' ') ?? 'this browser';
  return `${browser.replace('Version', 'Safari')}, ${navigator.hardwareConcurrency} cores`;
}
