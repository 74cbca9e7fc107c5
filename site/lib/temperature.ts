import { part } from './dom.js';

const ANIMATION_MILLISECONDS = 700;

/** A section's slider whose value is the decimal logarithm of a temperature, and the text beside it. */
export class TemperatureSlider {
  readonly #input: HTMLInputElement;
  readonly #output: HTMLOutputElement;
  readonly #onChange: () => void;
  #frame = 0;

  constructor(section: Element, onChange: () => void) {
    this.#input = part(section, 'temperature', HTMLInputElement);
    this.#output = part(section, 'temperature-value', HTMLOutputElement);
    this.#onChange = onChange;
    this.#input.addEventListener('input', () => {
      cancelAnimationFrame(this.#frame);
      this.#changed();
    });
    this.#describe();
  }

  get value(): number {
    return 10 ** Number(this.#input.value);
  }

  get text(): string {
    return this.#output.value;
  }

  /** Moves the slider to a temperature: animated, unless the visitor prefers reduced motion. */
  goTo(temperature: number): void {
    cancelAnimationFrame(this.#frame);
    const from = Number(this.#input.value);
    const to = Math.log10(temperature);
    const start = performance.now();
    const duration = matchMedia('(prefers-reduced-motion: reduce)').matches ? 0 : ANIMATION_MILLISECONDS;
    const step = () => {
      const share = duration === 0 ? 1 : Math.min(1, (performance.now() - start) / duration);
      this.#input.value = String(from + (to - from) * share);
      this.#changed();
      if (share < 1) this.#frame = requestAnimationFrame(step);
    };
    step();
  }

  #changed(): void {
    this.#describe();
    this.#onChange();
  }

  #describe(): void {
    const text = this.value.toPrecision(3);
    this.#output.value = text;
    this.#input.setAttribute('aria-valuetext', text);
  }
}
