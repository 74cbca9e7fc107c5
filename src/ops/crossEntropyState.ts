import { type Call, checkOverlaps, openCall, settle } from '../call/call.js';
import { findSums } from '../call/exp-sums.js';
import { type JsonNumber, jsonNumber, mergeError, readJson, readJsonNumber, readList } from '../call/json.js';
import { LogSums, readSums } from '../call/log-sums.js';
import { checkCount, REDUCTIONS, readGradOutput } from '../call/loss.js';
import { readOperand } from '../call/operand.js';
import { AS_IF_POLLUTED, type OptionNames, readOptions, readTemperature } from '../call/options.js';
import { elementsOf, type Operand, readerOf, writerOf } from '../call/place.js';
import { checkSize, newLike, readOptionalOut, wrapResult } from '../call/result.js';
import { giveShape, type Rows, rowsOfChunk } from '../call/rows.js';
import { checkSameSettings } from '../call/state.js';
import { classesOf, readClassIndices, readIgnoreIndex, type Targets } from '../call/targets.js';
import { show, typeError } from '../errors.js';
import { softmaxOfSumsKernel } from '../generated/kernels.js';
import { readWhole } from '../numbers.js';
import { softmaxOfSums } from '../reference/crossEntropyState.js';
import { sumOf } from '../reference/sum.js';
import { handRuntime, type Runtime, takeRuntime } from '../runtime.js';
import type {
  ClassIndices,
  ElementsOut,
  Input,
  LossesValue,
  MapResult,
  NoOptions,
  OptionsArgument,
  Reduction,
  TensorLike,
} from '../types.js';
import { defineKernel } from '../wasm/kernel.js';

/** Options of {@link crossEntropyState}. */
export interface CrossEntropyStateOptions {
  /** The number of rows. Default: one row. */
  rows?: number | undefined;
  /** Divides the logits first; positive. Default 1. */
  temperature?: number | undefined;
  /** Rows with this target count for nothing. Default -100. */
  ignoreIndex?: number | undefined;
  /** `'mean'` (the default) over the rows that are not ignored, `'sum'`, or `'none'` for a loss for each row. */
  reduction?: Reduction | undefined;
}

/** Options of {@link CrossEntropyState.add}. */
export interface CrossEntropyChunkOptions {
  /**
   * Sizes of the chunk's axes: [rows, classes], or several leading axes for the rows. Default: the same number of
   * classes for each row.
   */
  shape?: readonly number[] | undefined;
  /** The class of each row, numbered over all chunks: the same targets for every chunk. */
  targets: ClassIndices | TensorLike;
  /** The class that the chunk begins with. */
  offset: number;
}

/** Options of {@link CrossEntropyState.gradient}. */
export interface CrossEntropyGradientOptions {
  /** Sizes of the chunk's axes, as for `add`. */
  shape?: readonly number[] | undefined;
  /** The class of each row, to be checked against those that were added. */
  targets?: ClassIndices | TensorLike | undefined;
  /** The class that the chunk begins with. */
  offset: number;
  /**
   * Receives the gradient: same dtype and number of elements as the chunk. It may be the chunk itself, and must not
   * overlap with any other argument.
   */
  out?: ElementsOut | undefined;
  /**
   * The gradient of the final result with respect to the loss: a number, or with reduction `'none'` one for each row.
   * Default 1.
   */
  gradOutput?: number | Input | undefined;
}

/** A {@link CrossEntropyState} as plain JSON. */
export interface CrossEntropyStateJson {
  state: 'crossEntropyState';
  options: CrossEntropyStateOptions;
  count: number;
  /** Four numbers for each row, as in {@link LogSumExpStateJson}. */
  sums: JsonNumber[];
  /** The class of each row, -1 where it is ignored; null before the first chunk. */
  targets: number[] | null;
  /** The logit of each row's target, null where no chunk has had it. */
  targetLogits: (JsonNumber | null)[];
}

/** The options with their defaults filled in; `rows` is undefined if there is just one. */
type Settings = Required<Omit<CrossEntropyStateOptions, 'rows'>> & { readonly rows: number | undefined };

const NAME = 'crossEntropyState';
const OPTIONS: OptionNames<CrossEntropyStateOptions> = {
  rows: true,
  temperature: true,
  ignoreIndex: true,
  reduction: true,
};
const CHUNK_OPTIONS: OptionNames<CrossEntropyChunkOptions> = { shape: true, targets: true, offset: true };
const GRADIENT_OPTIONS: OptionNames<CrossEntropyGradientOptions> = { ...CHUNK_OPTIONS, out: true, gradOutput: true };
const KERNEL = /* @__PURE__ */ defineKernel(softmaxOfSumsKernel, softmaxOfSums);
/** Bytes that the kernel reads for each row: maximum, total and scale, as float64. */
const GIVEN_BYTES = 24;

/** Makes a state. The constructor is private, so that the public declarations do not name the types of its parts. */
let newState: (runtime: Runtime, settings: Settings, cells?: Float64Array) => CrossEntropyState<never>;

/** A cross-entropy that is added up over chunks of classes: made by {@link crossEntropyState}. */
export class CrossEntropyState<Value extends number | Float64Array = number | Float64Array> {
  readonly #runtime: Runtime;
  readonly #settings: Settings;
  readonly #sums: LogSums;
  /** The class of each row, -1 where it is ignored; undefined before the first chunk. */
  #classes: Float64Array | undefined;
  /** The logit of each row's target, and whether a chunk has had it. */
  readonly #logits: Float64Array;
  readonly #isFound: Uint8Array;
  #count = 0;

  static {
    newState = (runtime, settings, cells) => new CrossEntropyState(runtime, settings, cells);
  }

  private constructor(runtime: Runtime, settings: Settings, cells?: Float64Array) {
    const rows = settings.rows ?? 1;
    this.#runtime = runtime;
    this.#settings = settings;
    this.#sums = new LogSums(NAME, rows, settings.temperature, cells);
    this.#logits = new Float64Array(rows);
    this.#isFound = new Uint8Array(rows);
  }

  /**
   * Adds a chunk: for every row, the logits of n classes, those from `offset` on. If it throws, nothing has been added.
   *
   * @param chunk the same number of logits for each row, one row after the other.
   * @returns the state itself.
   * @throws TypeError for an argument of the wrong type; RangeError for a wrong shape, length or value, for targets
   * that differ from those before, or if an earlier chunk already had the target of a row.
   */
  add(chunk: Input, options: CrossEntropyChunkOptions): this {
    handRuntime(this.#runtime);
    const name = `${NAME}.add`;
    const call = openCall(name);
    const input = readOperand(call, 'chunk', chunk);
    const given = readOptions<CrossEntropyChunkOptions>(name, options, CHUNK_OPTIONS, AS_IF_POLLUTED);
    const targets = readClassIndices(call, given.targets);
    const offset = readWhole(name, 'offset', given.offset);
    const rows = this.#settle(call, input, given.shape);
    const classes = this.#classesOf(name, targets);
    const { n } = rows;
    this.#eachWithin(classes, offset, n, (row) => {
      if (this.#isFound[row]) {
        throw new RangeError(
          `${name}: class ${classes[row]}, the target of row ${row}, was in a chunk before, ${ONCE}`,
        );
      }
    });
    if (input.length > 0) {
      const found = findSums(call, input, rows, this.#settings.temperature);
      const { arena } = call.runtime;
      this.#sums.addFound(arena.f64, found);
      const logit = readerOf(arena, input);
      this.#eachWithin(classes, offset, n, (row, at) => {
        this.#isFound[row] = 1;
        // JSON has no −0.
        this.#logits[row] = logit(at) + 0;
      });
    }
    this.#classes = classes;
    this.#count += n;
    return this;
  }

  /**
   * Adds the chunks of another state of the same rows and targets. The other state is not changed.
   * @returns the state itself.
   * @throws TypeError unless it is such a state; RangeError if its options or targets differ, or if both states have
   * had the target of a row.
   */
  merge(other: CrossEntropyState): this {
    const name = `${NAME}.merge`;
    if (typeof other !== 'object' || other === null || !(#settings in other)) {
      throw mergeError(NAME, other);
    }
    checkSameSettings(name, this.#settings, other.#settings);
    if (other.#classes === undefined) return this;
    checkSameTargets(name, 'other', other.#classes, this.#classes);
    const twice = this.#isFound.findIndex((isFound, row) => isFound === 1 && other.#isFound[row] === 1);
    if (twice >= 0) {
      throw new RangeError(`${name}: the target of row ${twice} was in a chunk of both states, ${ONCE}`);
    }
    this.#classes = other.#classes;
    this.#sums.merge(other.#sums);
    other.#isFound.forEach((isFound, row) => {
      if (!isFound) return;
      this.#isFound[row] = 1;
      this.#logits[row] = other.#logits[row]!;
    });
    this.#count += other.#count;
    return this;
  }

  /** How many classes of each row were added so far. */
  get count(): number {
    return this.#count;
  }

  /**
   * The loss over all chunks, in float64: a number, or with reduction `'none'` an array with one for each of the
   * `rows`.
   * @throws RangeError as long as the target of a row has been in no chunk.
   */
  get value(): Value {
    const { rows, reduction } = this.#settings;
    const classes = this.#completeClasses(`${NAME}.value`);
    const losses = classes.map((target, row) => (target < 0 ? 0 : this.#lossOf(row)));
    if (reduction === 'none') return (rows === undefined ? losses[0] : losses) as Value;
    return (sumOf(losses, 8) / (reduction === 'mean' ? countedRows(classes) : 1)) as Value;
  }

  /**
   * The gradient of the loss over all chunks with respect to the logits of one chunk, which was added to this state or
   * to one that was merged into it: (softmax(x / t) − q) / t, where q is the one-hot target, divided by what the loss
   * is divided by.
   *
   * @param chunk the logits that were added, in the same dtype.
   * @returns the gradient, in the same kind of array or tensor as the chunk, or in `out`.
   * @throws TypeError for an argument of the wrong type; RangeError for a wrong shape, length or value, for targets
   * that differ from those added, or as long as the target of a row has been in no chunk. Nothing is written then.
   */
  gradient<X extends Input, const O extends CrossEntropyGradientOptions>(chunk: X, options: O): MapResult<X, O> {
    handRuntime(this.#runtime);
    const name = `${NAME}.gradient`;
    const call = openCall(name);
    const input = readOperand(call, 'chunk', chunk);
    const { elementBytes } = input;
    const given = readOptions<CrossEntropyGradientOptions>(name, options, GRADIENT_OPTIONS, AS_IF_POLLUTED);
    const out = readOptionalOut(call, given.out, elementBytes, input.half);
    const upstream = given.gradOutput;
    const gradOutput = readGradOutput(call, upstream, input);
    const wanted = given.targets;
    const targets = wanted === undefined ? undefined : readClassIndices(call, wanted);
    const offset = readWhole(name, 'offset', given.offset);
    const rows = this.#settle(call, input, given.shape);
    if (typeof gradOutput !== 'number') {
      const { reduction } = this.#settings;
      if (reduction !== 'none') {
        throw typeError(name, 'gradOutput', upstream, `a number for reduction "${reduction}"`);
      }
      checkCount(name, gradOutput, rows.count, 'one for each row');
    }
    if (targets !== undefined) this.#classesOf(name, targets);
    const classes = this.#completeClasses(name);
    if (elementBytes === 4) this.#checkMaxima(name);
    if (out !== undefined) {
      checkSize(call, out, input.length);
      checkOverlaps(call, out, input);
    }
    const scales = this.#scales(call, classes, gradOutput);
    const result = this.#scaledSoftmax(call, input, rows, scales, out);
    const write = writerOf(call.runtime.arena, result);
    this.#eachWithin(classes, offset, rows.n, (row, at) => {
      write(at, -scales[row]! * this.#sums.complement(row, this.#logits[row]!));
    });
    return wrapResult(result, out !== undefined, input, input.shape) as MapResult<X, O>;
  }

  /**
   * Plain JSON, from which `crossEntropyState.from` restores the same state bit for bit, in this process or another.
   */
  toJSON(): CrossEntropyStateJson {
    const { rows, ...others } = this.#settings;
    return {
      state: NAME,
      options: rows === undefined ? others : { rows, ...others },
      count: this.#count,
      sums: this.#sums.toJSON(),
      targets: this.#classes === undefined ? null : [...this.#classes],
      targetLogits: Array.from(this.#logits, (logit, row) => (this.#isFound[row] ? jsonNumber(logit) : null)),
    };
  }

  /** @internal Restores what toJSON gave, into a state without chunks. */
  restore(operation: string, json: Record<string, unknown>): this {
    const rows = this.#logits.length;
    const { count, targets, targetLogits } = json;
    this.#count = readWhole(operation, 'json.count', count);
    for (const [row, logit] of readList(operation, 'json.targetLogits', targetLogits, rows).entries()) {
      if (logit === null) continue;
      this.#isFound[row] = 1;
      this.#logits[row] = readJsonNumber(operation, `json.targetLogits[${row}]`, logit);
    }
    if (targets === null) return this;
    this.#classes = Float64Array.from(readList(operation, 'json.targets', targets, rows), (target, row) => {
      return target === -1 ? -1 : readWhole(operation, `json.targets[${row}]`, target);
    });
    return this;
  }

  /** Settles a call, and checks the chunk's shape and whether the temperature suits its dtype. */
  #settle(call: Call, input: Operand, shape: unknown): Rows {
    const { operation } = call;
    giveShape(operation, input, shape);
    settle(call);
    readTemperature(operation, this.#settings.temperature, input.elementBytes);
    return rowsOfChunk(operation, input, this.#logits.length);
  }

  /** @throws RangeError for targets that are not class indices, or differ from those of the chunks before */
  #classesOf(operation: string, { indices }: Targets): Float64Array {
    const { ignoreIndex } = this.#settings;
    const classes = classesOf(operation, indices!, this.#logits.length, ignoreIndex);
    checkSameTargets(operation, 'targets', classes, this.#classes);
    return classes;
  }

  /** Visits the rows whose target is in a chunk, with the index of its logit. */
  #eachWithin(classes: Float64Array, offset: number, n: number, visit: (row: number, at: number) => void): void {
    for (let row = 0; row < classes.length; row++) {
      // The class of an ignored row, -1, comes before every chunk.
      const at = classes[row]! - offset;
      if (at >= 0 && at < n) visit(row, row * n + at);
    }
  }

  /** @throws RangeError as long as the target of a row has been in no chunk */
  #completeClasses(operation: string): Float64Array {
    const classes = this.#classes ?? (this.#logits.length === 0 ? new Float64Array(0) : undefined);
    if (classes === undefined)
      throw new RangeError(`${operation}: no chunk was added, expected one with each row's target`);
    const missing = classes.findIndex((target, row) => target >= 0 && !this.#isFound[row]);
    if (missing >= 0) {
      const target = classes[missing];
      throw new RangeError(`${operation}: class ${target}, the target of row ${missing}, was in no chunk, ${ONCE}`);
    }
    return classes;
  }

  #lossOf(row: number): number {
    const logit = this.#logits[row]!;
    if (!Number.isFinite(this.#sums.maximum(row))) return NaN;
    return this.#sums.logarithm(row, logit);
  }

  /**
   * The factor of each row's softmax in the gradient: NaN where the softmax is NaN, because the kernel takes 0 to mean a
   * row that is ignored.
   */
  #scales({ runtime: { arena } }: Call, classes: Float64Array, gradOutput: number | Operand): Float64Array {
    const { temperature, reduction } = this.#settings;
    const divisor = (reduction === 'mean' ? countedRows(classes) : 1) * temperature;
    const upstream = typeof gradOutput === 'number' ? undefined : elementsOf(arena, gradOutput);
    return classes.map((target, row) => {
      if (target < 0) return 0;
      if (!Number.isFinite(this.#sums.maximum(row))) return NaN;
      return (upstream === undefined ? (gradOutput as number) : upstream[row]!) / divisor;
    });
  }

  /** scale · softmax of each row. */
  #scaledSoftmax(call: Call, input: Operand, rows: Rows, scales: Float64Array, out: Operand | undefined): Operand {
    const { runtime, operation } = call;
    const { run, arena } = runtime;
    const { temperature } = this.#settings;
    if (input.length === 0) return out ?? newLike(call, input);
    const compute = runtime.kernel(KERNEL, input.elementBytes, operation);
    run.open(operation, rows, input.elementBytes);
    const given = run.reserve(rows.count * GIVEN_BYTES);
    const result = out ?? newLike(call, input);
    const from = run.input(input);
    const to = run.output(result);
    const perRow = run.perRow(given, GIVEN_BYTES);
    run.start(out === undefined ? result : undefined);
    scales.forEach((scale, row) => {
      arena.f64.set([this.#sums.maximum(row), this.#sums.total(row), scale], given / 8 + 3 * row);
    });
    while (run.next()) {
      const { outer, scratch } = run;
      const x = run.at(from);
      compute({ x, y: run.at(to), rows: outer, n: rows.n, temperature, given: run.at(perRow), scratch });
    }
    return result;
  }

  /** @throws TypeError if a row's maximum is not a float32: then it came with a float64 chunk */
  #checkMaxima(operation: string): void {
    for (let row = 0; row < this.#logits.length; row++) {
      const maximum = this.#sums.maximum(row);
      if (Object.is(Math.fround(maximum), maximum)) continue;
      throw new TypeError(
        `${operation}: chunk is float32, expected float64, as the chunk with the maximum of row ${row}, ${maximum}`,
      );
    }
  }
}

const ONCE = 'expected it in exactly one';

/** @throws RangeError if there are classes from before and these differ from them */
function checkSameTargets(
  operation: string,
  argument: string,
  classes: Float64Array,
  before: Float64Array | undefined,
): void {
  const row = before === undefined ? -1 : classes.findIndex((target, i) => target !== before[i]);
  if (row < 0) return;
  const [got, expected] = [classes, before!].map((each) => (each[row]! < 0 ? 'ignored' : each[row]));
  throw new RangeError(
    `${operation}: the target of row ${row} is ${got} in ${argument}, expected ${expected}, as before`,
  );
}

/** The number of rows that are not ignored. */
function countedRows(classes: Float64Array): number {
  return classes.reduce((count, target) => (target < 0 ? count : count + 1), 0);
}

function readSettings(operation: string, options: unknown): Settings {
  const given = readOptions<CrossEntropyStateOptions>(operation, options, OPTIONS, AS_IF_POLLUTED);
  const rows = given.rows === undefined ? undefined : readWhole(operation, 'rows', given.rows);
  const temperature = readTemperature(operation, given.temperature, 8);
  const ignoreIndex = readIgnoreIndex(operation, given.ignoreIndex);
  const { reduction = 'mean' } = given;
  if (!REDUCTIONS.includes(reduction as Reduction)) {
    throw typeError(operation, 'reduction', reduction, `one of ${REDUCTIONS.map(show).join(', ')}`);
  }
  return { rows, temperature, ignoreIndex, reduction: reduction as Reduction };
}

/**
 * A cross-entropy of rows whose classes come in chunks: the loss over a vocabulary that no machine holds as a whole,
 * and its gradient for one chunk at a time. Chunks may be added in any order, and states that hold some of them merged
 * in any tree. Where rows come in shards, each with all classes, {@link nllState} is the state for them.
 *
 * `add` takes the logits of some classes of every row, with all targets and the class that the chunk begins with;
 * `merge` takes another state; `value` is the loss, and `gradient` its gradient with respect to a chunk. `toJSON` and
 * `from` carry a state to another process. Targets are class indices; class weights and label smoothing are not
 * supported.
 *
 * With m merges and adds, a row's loss is off by at most (8 + m) · 2⁻⁵² times the larger of log Σ e^((x − maximum) / t)
 * and the distance of its target's logit from the maximum, divided by t: the loss of a confident row keeps its digits.
 * float32 chunks add crossEntropy's bound for float32. Rows that hold NaN or +∞, or only −∞, give NaN. Formula:
 * torch.nn.functional.cross_entropy; the sums merge as in {@link logSumExpState}.
 *
 * @returns a {@link CrossEntropyState}.
 * @throws TypeError for an option of the wrong type or an unknown one, RangeError for a wrong value.
 *
 * @example
 * const targets = [0, 2];
 * const state = crossEntropyState({ rows: 2 });
 * state.add([1, 2, 1, 5], { targets, offset: 0 }).add([3, 1], { targets, offset: 2 }).count; // 3
 * state.value; // 3.222
 * state.gradient([3, 1], { offset: 2 }); // Float32Array [0.333, -0.491]
 */
export function crossEntropyState<const O extends CrossEntropyStateOptions | undefined = NoOptions>(
  ...options: OptionsArgument<O, CrossEntropyStateOptions>
): CrossEntropyState<LossesValue<O>>;
export function crossEntropyState(options?: unknown): CrossEntropyState {
  const runtime = takeRuntime();
  return newState(runtime, readSettings(NAME, options));
}

/**
 * Restores a state from what its `toJSON` gave, also after a round trip through JSON text.
 * @throws TypeError, RangeError unless it is the JSON of such a state.
 */
crossEntropyState.from = (json: CrossEntropyStateJson): CrossEntropyState => {
  const runtime = takeRuntime();
  const name = `${NAME}.from`;
  return readJson(NAME, json, (record) => {
    const settings = readSettings(name, record.options);
    return newState(runtime, settings, readSums(name, record.sums, settings.rows ?? 1)).restore(name, record);
  });
};
