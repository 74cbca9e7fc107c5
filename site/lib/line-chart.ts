import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

const HEIGHT = 240;

export interface Series {
  readonly label: string;
  /** One of the colours of the style sheet, by its variable. */
  readonly colour: string;
  readonly dash?: number[];
  /** Whether points are drawn, so that one between gaps is visible. */
  readonly points?: boolean;
}

export interface Axis {
  readonly label: string;
  /** The ends of the axis, which do not depend on the data. */
  readonly range: readonly [from: number, to: number];
}

/** Lines over a common x, in the colours of the theme, as wide as their place. */
export class LineChart {
  readonly #place: HTMLElement;
  readonly #axes: readonly [x: Axis, y: Axis];
  readonly #series: readonly Series[];
  #data: uPlot.AlignedData;
  #plot: uPlot;

  constructor(place: HTMLElement, axes: readonly [Axis, Axis], series: readonly Series[], data: uPlot.AlignedData) {
    this.#place = place;
    this.#axes = axes;
    this.#series = series;
    this.#data = data;
    this.#plot = this.#draw();
    new ResizeObserver(() => this.#plot.setSize({ width: place.clientWidth, height: HEIGHT })).observe(place);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      this.#plot.destroy();
      this.#plot = this.#draw();
    });
  }

  show(data: uPlot.AlignedData): void {
    this.#data = data;
    this.#plot.setData(data);
  }

  #draw(): uPlot {
    const style = getComputedStyle(this.#place);
    const colour = (name: string) => style.getPropertyValue(name);
    const axis = ({ label }: Axis) => ({
      label,
      stroke: colour('--ink'),
      grid: { stroke: colour('--line'), width: 1 },
      ticks: { stroke: colour('--line'), width: 1 },
    });
    const [x, y] = this.#axes;
    const options: uPlot.Options = {
      width: this.#place.clientWidth,
      height: HEIGHT,
      scales: { x: { time: false, range: [...x.range] }, y: { range: [...y.range] } },
      cursor: { show: false },
      axes: this.#axes.map(axis),
      series: [
        {},
        ...this.#series.map(({ label, colour: name, dash, points = false }) => ({
          label,
          stroke: colour(name),
          width: 2,
          // Points are not rounded to whole pixels, which would draw a slope as steps.
          pxAlign: 0,
          dash,
          points: { show: points, size: 10, fill: colour(name) },
        })),
      ],
      legend: { show: this.#series.length > 1, live: false },
    };
    return new uPlot(options, this.#data, this.#place);
  }
}
