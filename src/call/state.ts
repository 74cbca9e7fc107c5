import { show } from '../errors.js';
import { readWhole } from '../numbers.js';
import { handRuntime, type Runtime, takeRuntime } from '../runtime.js';
import type { ClassIndices, Input, PlaceOptions, TensorLike } from '../types.js';
import { mergeError, readJson } from './json.js';
import { AS_IF_POLLUTED, type Given, type OptionNames, readOptions } from './options.js';

/** What a state keeps of the rows that were added. */
interface Tally {
  /** The number of rows that count. */
  count: number;
  merge(other: this): void;
  /** Everything but the count, as plain JSON. */
  toJSON(): object;
}

/** The description of a kind of evaluation state. */
export interface StateKind<O extends object, T extends Tally, V> {
  readonly name: string;
  readonly options: OptionNames<O>;
  /** Reads each option once, and checks it. */
  settings(operation: string, given: Given<O>): Required<O>;
  tally(settings: Required<O>): T;
  /** Restores what a tally's toJSON gave, into one that has only the count. */
  read(operation: string, json: Record<string, unknown>, tally: T): void;
  /** Reads the arguments and options of a call, and adds its rows. */
  add(tally: T, settings: Required<O>, operation: string, x: unknown, targets: unknown, options: unknown): void;
  value(tally: T, settings: Required<O>): V;
}

/** A state as plain JSON, to be stored or sent to another process. */
export interface StateJson {
  /** The name of the function that made the state. */
  state: string;
  options: object;
  count: number;
}

/** Makes a state. The constructor is private, so that the public declarations do not name the types of its parts. */
let newState: (
  runtime: Runtime,
  kind: StateKind<never, never, never>,
  settings: object,
  tally: Tally,
) => EvaluationState<never>;

/**
 * An evaluation that is added up over shards of rows: made by `accuracyState`, `nllState`, `perplexityState` or
 * `calibrationState`.
 */
export class EvaluationState<Value> {
  readonly #runtime: Runtime;
  // The casts are safe: states are used together only after their #kind was found to be the same.
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
   * Adds the rows of a shard. Arguments and errors are those of the function that evaluates all rows at once. If it
   * throws, nothing has been added.
   * @returns the state itself.
   */
  add(x: Input, targets: ClassIndices | TensorLike, options?: PlaceOptions): this {
    handRuntime(this.#runtime);
    this.#kind.add(this.#tally, this.#settings, `${this.#kind.name}.add`, x, targets, options);
    return this;
  }

  /**
   * Adds the rows of another state, which is not changed. Whatever the order and grouping in which states are merged,
   * counts are the same, and sums differ only by float64 rounding, by at most 2⁻⁵³ of the sum for each row.
   * @returns the state itself.
   * @throws TypeError unless it is a state of the same kind, RangeError if its options or number of classes differ.
   */
  merge(other: EvaluationState<Value>): this {
    if (typeof other !== 'object' || other === null || !(#kind in other) || other.#kind !== this.#kind) {
      throw mergeError(this.#kind.name, other);
    }
    checkSameSettings(`${this.#kind.name}.merge`, this.#settings, other.#settings);
    this.#tally.merge(other.#tally);
    return this;
  }

  /** The number of rows that count so far: those whose target is not `ignoreIndex`. */
  get count(): number {
    return this.#tally.count;
  }

  /** What the function that evaluates all rows at once would give; NaN if there are no rows. */
  get value(): Value {
    return this.#kind.value(this.#tally, this.#settings);
  }

  /** Plain JSON, from which `from` of the function that made the state restores it, in this process or another. */
  toJSON(): StateJson {
    const { count } = this;
    return { state: this.#kind.name, options: { ...this.#settings }, count, ...this.#tally.toJSON() };
  }
}

/** Checks that two states have the same settings. @throws RangeError */
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
   * Restores a state from what its `toJSON` gave, also after a round trip through JSON text.
   * @throws TypeError, RangeError unless it is the JSON of such a state.
   */
  from(json: StateJson): EvaluationState<Value>;
}

/** Defines a kind of state. Its calls are marked pure, so that bundlers drop the kinds that are not used. */
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
          tally.count = readWhole(operation, 'json.count', count);
          kind.read(operation, record, tally);
        });
      });
    },
  });
}
