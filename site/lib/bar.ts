import { make } from './dom.js';

/** A number from 0 to 1 as a bar with its digits, in a cell of a table. */
export interface Bar {
  readonly cell: HTMLTableCellElement;
  /** Shows a value, with its digits or another text. */
  show(value: number, text?: string): void;
}

export function makeBar(): Bar {
  const fill = make('span', { className: 'fill' });
  const digits = make('span', { className: 'digits' });
  const track = make('span', { className: 'track' }, fill);
  track.setAttribute('aria-hidden', 'true');
  return {
    cell: make('td', { className: 'bar' }, track, digits),
    show(value, text = formatProbability(value)) {
      fill.style.width = `${Number.isNaN(value) ? 0 : 100 * value}%`;
      digits.textContent = text;
      digits.classList.toggle('wrong', Number.isNaN(value));
    },
  };
}

export function formatProbability(value: number): string {
  return Number.isNaN(value) ? 'NaN' : value.toFixed(4);
}

/** A bar with a mark where it is expected to end. */
export interface MarkedBar extends Bar {
  mark(value: number): void;
}

export function makeMarkedBar(): MarkedBar {
  const { cell, show } = makeBar();
  const line = make('span', { className: 'mark' });
  cell.querySelector('.track')!.append(line);
  return {
    cell,
    show,
    mark(value) {
      line.style.left = `${100 * value}%`;
    },
  };
}

/** A number from −1 to 1 as a bar that begins in the middle. */
export function makeSignedBar(): Bar {
  const { cell, show } = makeBar();
  const fill = cell.querySelector<HTMLElement>('.fill')!;
  return {
    cell,
    show(value) {
      show(value);
      fill.style.width = `${50 * Math.abs(value)}%`;
      fill.style.marginLeft = `${50 + 50 * Math.min(value, 0)}%`;
    },
  };
}
