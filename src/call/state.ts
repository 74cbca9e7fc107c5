import { show, typeError } from '../errors.js';
import { handRuntime, type Runtime, takeRuntime } from '../runtime.js';
import type { ClassIndices, Input, PlaceOptions, TensorLike } from '../types.js';
import { readCount, readJson } from './json.js';
import { AS_IF_POLLUTED, type Given, type OptionNames, readOptions } from './options.js';

/** What a state knows of the rows that were added. */
interface Tally {
  /** Rows that count. */
  count: number;
  merge(other: this): void;
  /** All but the count, as plain JSON. */
  toJSON(): object;
}

/** What tells the states apart that evaluate rows in shards. */
export interface StateKind<O extends object, T extends Tally, V> {
  readonly name: string;
  readonly options: OptionNames<O>;
  /** Reads and checks the options, each once. */
  settings(operation: string, given: Given<O>): Required<O>;
  tally(settings: Required<O>): T;
  /** Reads into a tally, empty but for its count, what its toJSON gave. */
  read(operation: string, json: Record<string, unknown>, tally: T): void;
  /** Adds the rows of a call; reads its arguments and options first. */
  add(tally: T, settings: Required<O>, operation: string, x: unknown, targets: unknown, options: unknown): void;
  value(tally: T, settings: Required<O>): V;
}

/** What a state is as plain JSON: kept, or sent to another process. */
export interface StateJson {
  /** The function that made the state. */
  state: string;
  options: object;
  count: number;
}

/** Makes a state: only here, and so that declarations name nothing of what it is made of. */
let newState: (
  runtime: Runtime,
  kind: StateKind<never, never, never>,
  settings: object,
  tally: Tally,
) => EvaluationState<never>;

/**
 * An evaluation in progress, over shards of rows: made by `accuracyState`, `nllState`, `perplexityState` or
 * `calibrationState`.
 */
export class EvaluationState<Value> {
  readonly #runtime: Runtime;
  // A state of one kind is never another's: #kind is compared before anything else is.
  readonly #kind: StateKind<object, Tally, Value>;
  readonly #settings: object;
  readonly #tally: Tally;

  static {
    newState = (runtime, kind, settings, tally) => new EvaluationState(runtime, kind, settings, tally);
  }

  private constructor(runtime: Runtime, kind: StateKind<never, never, Value>, settings: object, tally: Tally) {
    this.#runtime = runtime;
    this.#kind = kind as unknown as StateKind<object, Tally, Value>;
    this.#settings = settings;
    this.#tally = tally;
  }

  /**
   * Adds the rows of a shard, with arguments and errors as the function has them that takes all at once. Nothing is added
   * when it throws.
   * @returns the state itself.
   */
  add(x: Input, targets: ClassIndices | TensorLike, options?: PlaceOptions): this {
    handRuntime(this.#runtime);
    this.#kind.add(this.#tally, this.#settings, `${this.#kind.name}.add`, x, targets, options);
    return this;
  }

  /**
   * Adds the rows of another state, which stays as it is. In whatever order and groups states are merged, counts are the
   * same, and sums but for what float64 rounds: 2⁻⁵³ for each row at the very most.
   * @returns the state itself.
   * @throws TypeError unless it is a state of the same kind, RangeError for one with other options or classes.
   */
  merge(other: EvaluationState<Value>): this {
    const operation = `${this.#kind.name}.merge`;
    if (typeof other !== 'object' || other === null || !(#kind in other) || other.#kind !== this.#kind) {
      throw typeError(operation, 'other', other, `a state made by ${this.#kind.name}`);
    }
    checkSameSettings(operation, this.#settings, other.#settings);
    this.#tally.merge(other.#tally);
    return this;
  }

  /** The number of rows that count so far: those whose target is not ignoreIndex. */
  get count(): number {
    return this.#tally.count;
  }

  /** What the function that takes all rows at once would give; NaN where there are none. */
  get value(): Value {
    return this.#kind.value(this.#tally, this.#settings);
  }

  /** Plain JSON, which `from` of the function that made the state reads again, in this process or another. */
  toJSON(): StateJson {
    const { count } = this;
    return { state: this.#kind.name, options: { ...this.#settings }, count, ...this.#tally.toJSON() };
  }
}

/** Checks the settings of two states. @throws RangeError for some that differ */
export function checkSameSettings(operation: string, own: object, other: object): void {
  for (const [name, value] of Object.entries(own)) {
    const found: unknown = (other as Record<string, unknown>)[name];
    if (found !== value) {
      throw new RangeError(`${operation}: other has ${name} ${show(found)}, expected ${show(value)}, as this state`);
    }
  }
}

/** Makes states of a kind. */
export interface StateFactory<O, Value> {
  (options?: O): EvaluationState<Value>;
  /**
   * The state that this was: what `toJSON` gave, and JSON.parse of what JSON.stringify made of it.
   * @throws TypeError, RangeError unless it is the JSON of such a state.
   */
  from(json: StateJson): EvaluationState<Value>;
}

/** Declares a kind of states; bundlers drop it by the pure mark at its calls. */
export function defineState<O extends object, T extends Tally, V>(kind: StateKind<O, T, V>): StateFactory<O, V> {
  const make = (runtime: Runtime, operation: string, options: unknown, read?: (tally: T) => void) => {
    const settings = kind.settings(operation, readOptions<O>(operation, options, kind.options, AS_IF_POLLUTED));
    const tally = kind.tally(settings);
    read?.(tally);
    return newState(runtime, kind as never, settings, tally) as EvaluationState<V>;
  };
  return Object.assign((options?: O) => make(takeRuntime(), kind.name, options), {
    from: (json: StateJson) => {
      const runtime = takeRuntime();
      const operation = `${kind.name}.from`;
      return readJson(kind.name, json, (record) => {
        const { options, count } = record;
        return make(runtime, operation, options, (tally) => {
          tally.count = readCount(operation, 'json.count', count);
          kind.read(operation, record, tally);
        });
      });
    },
  });
}
