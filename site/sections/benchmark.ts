import { type Bar, makeBar } from '../lib/bar.js';
import { BenchmarkRun, CONTENDERS, type Timing } from '../lib/benchmark-run.js';
import { make, part, sectionOf } from '../lib/dom.js';

export function showBenchmark(): void {
  const section = sectionOf('benchmark');
  const summary = part(section, 'summary', HTMLParagraphElement);
  const progress = part(section, 'progress', HTMLProgressElement);
  const rows = part(section, 'rows', HTMLTableSectionElement);
  const markdown = part(section, 'markdown', HTMLTextAreaElement);
  let running: BenchmarkRun | undefined;

  async function start(isQuick: boolean): Promise<void> {
    running?.stop();
    rows.replaceChildren();
    progress.value = 0;
    const timings: Timing[] = [];
    const run = new BenchmarkRun(isQuick, (timing, share) => {
      timings.push(timing);
      rows.append(makeRow(timing));
      progress.value = share;
      markdown.value = markdownOf(timings);
    });
    running = run;
    summary.textContent = 'Running.';
    try {
      await run.run();
      summary.textContent = `Done, on ${machine()}: every result was right.`;
    } catch (error) {
      // A run that another one took the place of says nothing.
      if (running === run) summary.textContent = `Ended: ${error instanceof Error ? error.message : String(error)}.`;
    }
  }

  part(section, 'quick', HTMLButtonElement).addEventListener('click', () => start(true));
  part(section, 'full', HTMLButtonElement).addEventListener('click', () => start(false));
  part(section, 'stop', HTMLButtonElement).addEventListener('click', () => running?.stop());
  part(section, 'copy', HTMLButtonElement).addEventListener('click', () => {
    markdown.select();
    // Without a secure connection there is no clipboard, but the text is selected.
    navigator.clipboard?.writeText(markdown.value);
  });
}

function makeRow({ label, nanoseconds }: Timing): HTMLTableRowElement {
  const bars = nanoseconds.map((time): Bar => {
    const bar = makeBar();
    if (time === undefined) bar.show(0, 'does not run here');
    else bar.show(Math.min(1, time / nanoseconds[0]!), formatTime(time));
    return bar;
  });
  return make('tr', {}, make('th', { scope: 'row' }, label), ...bars.map(({ cell }) => cell));
}

function markdownOf(timings: readonly Timing[]): string {
  const lines = timings.map(({ label, nanoseconds }) => [label, ...nanoseconds.map(formatTime)]);
  const table = [['operation', ...CONTENDERS], ['---', ...CONTENDERS.map(() => '---:')], ...lines];
  return `${machine()}\n\n${table.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}\n`;
}

function formatTime(nanoseconds: number | undefined): string {
  if (nanoseconds === undefined) return '–';
  const [value, unit] = nanoseconds < 1e6 ? [nanoseconds / 1e3, 'µs'] : [nanoseconds / 1e6, 'ms'];
  return `${value < 100 ? value.toPrecision(3) : value.toFixed(0)} ${unit}`;
}

/** The browser and its processor's cores. */
function machine(): string {
  const browser = navigator.userAgent.match(/(?:Firefox|Chrome|Version)\/\d+/)?.[0].replace('/', ' ') ?? 'this browser';
  return `${browser.replace('Version', 'Safari')}, ${navigator.hardwareConcurrency} cores`;
}
