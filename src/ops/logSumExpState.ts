import { openCall, settle } from '../call/call.js';
import { checkBroadcastOperand } from '../call/descriptor.js';
import { findSums } from '../call/exp-sums.js';
import { type JsonNumber, mergeError, readJson } from '../call/json.js';
import { LogSums, readSums } from '../call/log-sums.js';
import { checkMask, readMask } from '../call/mask.js';
import { readOperand, readOptional } from '../call/operand.js';
import { AS_IF_POLLUTED, type OptionNames, readOptions, readTemperature } from '../call/options.js';
import { giveShape, rowsOfChunk } from '../call/rows.js';
import { readWhole } from '../numbers.js';
import { handRuntime, type Runtime, takeRuntime } from '../runtime.js';
import type { Input, Mask, NoOptions, OptionsArgument, SumsValue } from '../types.js';

/** Options of {@link logSumExpState}. */
export interface LogSumExpStateOptions {
  /** The number of rows, each with a result of its own. Default: one row, whose `value` is a number. */
  rows?: number | undefined;
}

/** Options of {@link LogSumExpState.add}. */
export interface LogSumExpChunkOptions {
  /**
   * Sizes of the chunk's axes: [rows, elements], or several leading axes for the rows. Default: the same number of
   * elements for each row.
   */
  shape?: readonly number[] | undefined;
  /** Divides the chunk first; positive. Default 1. */
  temperature?: number | undefined;
  /** The factors of the exponentials e^(x / t), as in {@link logSumExp}. */
  weights?: Input | undefined;
  /**
   * Elements to keep: those where it is neither 0 nor false. Of the chunk's shape, or one that broadcasts to it by
   * trailing axes.
   */
  mask?: Mask | undefined;
}

/** A {@link LogSumExpState} as plain JSON. */
export interface LogSumExpStateJson {
  state: 'logSumExpState';
  options: LogSumExpStateOptions;
  count: number;
  /**
   * Four numbers for each row: the maximum, the weight at the maximum, the sum of the other terms relative to
   * e^maximum, and the rounding error of these two. The sum of exponentials is e^first · (second + third + fourth).
   */
  sums: JsonNumber[];
}

const NAME = 'logSumExpState';
const OPTIONS: OptionNames<LogSumExpStateOptions> = { rows: true };
const CHUNK_OPTIONS: OptionNames<LogSumExpChunkOptions> = {
  shape: true,
  temperature: true,
  weights: true,
  mask: true,
};

/** Makes a state. The constructor is private, so that the public declarations do not name the types of its parts. */
let newState: (runtime: Runtime, rows: number | undefined, sums: LogSums, count: number) => LogSumExpState<never>;

/** A log-sum-exp that is added up over chunks of its rows: made by {@link logSumExpState}. */
export class LogSumExpState<Value extends number | Float64Array = number | Float64Array> {
  readonly #runtime: Runtime;
  /** undefined for a single row, whose value is a number. */
  readonly #rows: number | undefined;
  readonly #sums: LogSums;
  #count: number;

  static {
    newState = (runtime, rows, sums, count) => new LogSumExpState(runtime, rows, sums, count);
  }

  private constructor(runtime: Runtime, rows: number | undefined, sums: LogSums, count: number) {
    this.#runtime = runtime;
    this.#rows = rows;
    this.#sums = sums;
    this.#count = count;
  }

  /**
   * Adds a chunk: further elements of every row. If it throws, nothing has been added.
   *
   * @param chunk the same number of elements for each row, one row after the other.
   * @returns the state itself.
   * @throws as {@link logSumExp} does; RangeError for a wrong number of rows.
   */
  add(chunk: Input, options?: LogSumExpChunkOptions): this {
    handRuntime(this.#runtime);
    const name = `${NAME}.add`;
    const call = openCall(name);
    const input = readOperand(call, 'chunk', chunk);
    const { elementBytes } = input;
    const given = readOptions<LogSumExpChunkOptions>(name, options, CHUNK_OPTIONS);
    const weightOperand = readOptional(call, 'weights', given.weights, elementBytes);
    const maskPlace = readMask(call, given.mask);
    const temperature = readTemperature(name, given.temperature, elementBytes);
    giveShape(name, input, given.shape);
    settle(call);
    const rows = rowsOfChunk(name, input, this.#rows ?? 1);
    const weights = checkBroadcastOperand(name, weightOperand, input);
    const mask = checkMask(name, maskPlace, false, input, rows.axis);
    if (input.length > 0) {
      const found = findSums(call, input, rows, temperature, mask, weights);
      this.#sums.addFound(call.runtime.arena.f64, found, temperature);
    }
    this.#count += rows.n;
    return this;
  }

  /**
   * Adds the chunks of another state with the same number of rows. The other state is not changed.
   * @returns the state itself.
   * @throws TypeError unless it is such a state, RangeError for another number of rows.
   */
  merge(other: LogSumExpState): this {
    const name = `${NAME}.merge`;
    if (typeof other !== 'object' || other === null || !(#sums in other)) {
      throw mergeError(NAME, other);
    }
    const rows = this.#rows ?? 1;
    const others = other.#rows ?? 1;
    if (others !== rows) throw new RangeError(`${name}: other has ${others} rows, expected ${rows}, as this state`);
    this.#sums.merge(other.#sums);
    this.#count += other.#count;
    return this;
  }

  /** How many elements of each row were added so far, masked-out ones included. */
  get count(): number {
    return this.#count;
  }

  /** log Σ w e^(x / t) over all chunks, in float64: a number, or with `rows` an array with one for each row. */
  get value(): Value {
    if (this.#rows === undefined) return this.#sums.logarithm(0) as Value;
    return Float64Array.from({ length: this.#rows }, (_, row) => this.#sums.logarithm(row)) as Value;
  }

  /** Plain JSON, from which `logSumExpState.from` restores the same state bit for bit, in this process or another. */
  toJSON(): LogSumExpStateJson {
    const options = this.#rows === undefined ? {} : { rows: this.#rows };
    return { state: NAME, options, count: this.#count, sums: this.#sums.toJSON() };
  }
}

function readRowCount(operation: string, options: unknown): number | undefined {
  const { rows } = readOptions<LogSumExpStateOptions>(operation, options, OPTIONS, AS_IF_POLLUTED);
  return rows === undefined ? undefined : readWhole(operation, 'rows', rows);
}

/**
 * A log-sum-exp of rows that come in chunks: a vocabulary computed in slices, a stream, or pieces on many machines.
 * Chunks may be added in any order, and states that hold some of them merged in any tree: the result is that of whole
 * rows, in float64.
 *
 * `add` takes a chunk, `merge` another state, and `value` is the result so far: −∞ before the first element; NaN, ±∞
 * and weights are treated as in {@link logSumExp}. `toJSON` and `from` carry a state to another process.
 *
 * With m merges and adds, and weights that are not negative, the value is off by at most (8 + m) · 2⁻⁵² · max(1,
 * |value|); float32 chunks add logSumExp's bound for float32. A state takes four numbers for each row, in JavaScript's
 * own memory. Formula: the maximum and the sum of exponentials relative to it, as in Milakov and Gimelshein, Online
 * normalizer calculation for softmax, 2018.
 *
 * @returns a {@link LogSumExpState}.
 * @throws TypeError, RangeError unless `rows` is a whole number, 0 or more.
 *
 * @example
 * const state = logSumExpState().add([1, 2]).add([3]);
 * state.value; // 3.408
 * state.count; // 3
 * @example
 * const first = logSumExpState({ rows: 2 }).add([1, 3], { shape: [2, 1] });
 * const second = logSumExpState({ rows: 2 }).add([2, 4], { shape: [2, 1] });
 * first.merge(logSumExpState.from(JSON.parse(JSON.stringify(second)))).value; // Float64Array [2.313, 4.313]
 */
export function logSumExpState<const O extends LogSumExpStateOptions | undefined = NoOptions>(
  ...options: OptionsArgument<O, LogSumExpStateOptions>
): LogSumExpState<SumsValue<O>>;
export function logSumExpState(options?: unknown): LogSumExpState {
  const runtime = takeRuntime();
  const rows = readRowCount(NAME, options);
  return newState(runtime, rows, new LogSums(NAME, rows ?? 1), 0);
}

/**
 * Restores a state from what its `toJSON` gave, also after a round trip through JSON text.
 * @throws TypeError, RangeError unless it is the JSON of such a state.
 */
logSumExpState.from = (json: LogSumExpStateJson): LogSumExpState => {
  const runtime = takeRuntime();
  const name = `${NAME}.from`;
  return readJson(NAME, json, ({ options, count, sums }) => {
    const rows = readRowCount(name, options);
    const restored = new LogSums(name, rows ?? 1, 1, readSums(name, sums, rows ?? 1));
    return newState(runtime, rows, restored, readWhole(name, 'json.count', count));
  });
};
