import { attachedCount, copyOf, type IntegerArray, integerBytes, typedArrayTag, write } from '../arrays.js';
import { checkOverlaps, openCall, settle } from '../call/call.js';
import { arrayFor, lengthOf, PLAIN, readingError } from '../call/caller.js';
import { readOperand, readTensorLike } from '../call/operand.js';
import { type Given, type Hints, isPolluted, type OptionNames, readOptions } from '../call/options.js';
import { elementsOf, halvesOf, type Operand, readerOf, writerOf } from '../call/place.js';
import { checkSize, newLike, readOptionalOut, wrapResult } from '../call/result.js';
import { type Rows, readRows } from '../call/rows.js';
import { checkLength } from '../call/shape.js';
import { isArray, rangeError, typeError } from '../errors.js';
import type { Arena } from '../memory/arena.js';
import { Tensor } from '../memory/tensor.js';
import { readNumber } from '../numbers.js';
import type { ElementsOut, Input, MapResult, NoOptions, OptionsArgument, TensorLike } from '../types.js';

/** The tokens of a row: integers, each one as often as it occurs. */
export type Tokens = readonly number[] | IntegerArray;

/** Numbers to add to the logits of single tokens: pairs of a token and a number, or an object whose keys are tokens. */
export type TokenBias =
  | Iterable<readonly [token: number, bias: number]>
  | { readonly [token: number]: number; readonly [Symbol.iterator]?: never };

/** Options of {@link penalize}. */
export interface PenalizeOptions {
  /** Sizes of the axes, the classes last. Plain numbers without it are one row. */
  shape?: readonly number[] | undefined;
  /**
   * Divides the logit of each token that occurs if it is above 0, and multiplies it if it is below; positive. Default
   * 1.
   */
  repetition?: number | undefined;
  /** Subtracted from a token's logit for each time that it occurs. Default 0. */
  frequency?: number | undefined;
  /** Subtracted once from the logit of each token that occurs. Default 0. */
  presence?: number | undefined;
  /**
   * Numbers to add to the logits of certain tokens, in every row: a Map, pairs, or an object. -Infinity rules a token
   * out.
   */
  bias?: TokenBias | undefined;
  /**
   * Receives the result: same dtype and number of elements. It may be the logits themselves; otherwise it must not
   * overlap with them.
   */
  out?: ElementsOut | undefined;
}

const OPTIONS: OptionNames<PenalizeOptions> = {
  shape: true,
  repetition: true,
  frequency: true,
  presence: true,
  bias: true,
  out: true,
};

/** The names that other libraries use. */
const HINTS: Hints = {
  repetition_penalty: 'the name is repetition here',
  frequency_penalty: 'the name is frequency here',
  presence_penalty: 'the name is presence here',
  logit_bias: 'the name is bias here',
};

/** Whether someone has added a property with the name of an option to Object.prototype. */
function isPollutedHere(): boolean {
  const { repetition, frequency, presence, bias } = PLAIN;
  return isPolluted() || [repetition, frequency, presence, bias].some((value) => value !== undefined);
}

const TOKENS = 'tokens (integers), or an array of them for each row';
const BIAS = 'a Map, pairs [token, number] or an object of them';

interface Penalties {
  readonly repetition: number;
  readonly frequency: number;
  readonly presence: number;
}

function runPenalize(logits: unknown, tokens: unknown, options: unknown): unknown {
  const call = openCall('penalize');
  const { operation, runtime } = call;
  const input = readOperand(call, 'logits', logits);
  const lists = readTokens(operation, tokens);
  const given = readOptions<PenalizeOptions>(operation, options, OPTIONS, isPollutedHere(), HINTS);
  const out = readOptionalOut(call, given.out, input.elementBytes, input.half);
  const penalties = readPenalties(operation, given);
  const bias = readBias(operation, given.bias);
  const rows = readRows(operation, input, { shape: given.shape, axis: -1 });
  settle(call);
  const counts = countTokens(operation, lists, rows);
  for (const [i, [token]] of bias.entries()) checkToken(operation, `bias[${i}][0]`, token, rows.n);
  if (out !== undefined) {
    checkSize(call, out, input.length);
    checkOverlaps(call, out, input);
  }

  const result = out ?? newLike(call, input);
  const { arena } = runtime;
  if (!isSame(result, input)) copy(arena, input, result);
  const element = readerOf(arena, result);
  const set = writerOf(arena, result);
  for (let row = 0, first = 0; first < input.length; row++, first += rows.n) {
    // Collected first, so that each logit is rounded once.
    const changed = new Map<number, number>();
    for (const [token, count] of counts[row] ?? []) {
      changed.set(token, penalized(element(first + token), count, penalties));
    }
    for (const [token, value] of bias) changed.set(token, (changed.get(token) ?? element(first + token)) + value);
    for (const [token, value] of changed) set(first + token, value);
  }
  return wrapResult(result, out !== undefined, input, input.shape);
}

function penalized(logit: number, count: number, { repetition, frequency, presence }: Penalties): number {
  const scaled = logit > 0 ? logit / repetition : logit * repetition;
  return scaled - count * frequency - presence;
}

/** Whether the result is the logits themselves: then only the logits of the tokens are touched. */
function isSame(result: Operand, input: Operand): boolean {
  if (result.address >= 0) return result.address === input.address;
  return result.array === input.array;
}

function copy(arena: Arena, from: Operand, to: Operand): void {
  if (to.half === undefined) write(elementsOf(arena, to), elementsOf(arena, from));
  else write(halvesOf(arena, to), halvesOf(arena, from));
}

/**
 * Tokens as they were read: a list for each row or, unless they were in an array of arrays, one list for a single row.
 */
interface TokenLists {
  readonly lists: readonly (readonly unknown[])[];
  readonly isNested: boolean;
}

/**
 * Reads each token once; countTokens checks them, once the number of classes is known. @throws TypeError, RangeError
 */
function readTokens(operation: string, tokens: unknown): TokenLists {
  if (isArray(tokens)) {
    const elements = copyOfArray(operation, 'tokens', tokens, TOKENS);
    const isNested = elements.some((element) => typeof element === 'object' && element !== null);
    if (!isNested) return { lists: [elements], isNested };
    return { lists: elements.map((element, row) => readList(operation, `tokens[${row}]`, element)), isNested };
  }
  if (typedArrayTag(tokens) !== undefined || Tensor.is(tokens) || typeof tokens !== 'object' || tokens === null) {
    return { lists: [readList(operation, 'tokens', tokens)], isNested: false };
  }
  const { data, shape, type } = readTensorLike(operation, 'tokens', tokens, TOKENS);
  if (type !== undefined) throw new TypeError(`${operation}: tokens holds ${type}, expected ${TOKENS}`);
  const list = readList(operation, 'tokens.data', data);
  checkLength(operation, 'tokens', list.length, shape);
  if (shape.length < 2 || list.length === 0) return { lists: [list], isNested: false };
  const length = shape.at(-1)!;
  const rows = list.length / length;
  return {
    lists: Array.from({ length: rows }, (_, row) => list.slice(row * length, (row + 1) * length)),
    isNested: true,
  };
}

function readList(operation: string, argument: string, list: unknown): readonly unknown[] {
  if (isArray(list)) return copyOfArray(operation, argument, list, TOKENS);
  if (integerBytes(typedArrayTag(list)) === 0) throw typeError(operation, argument, list, TOKENS);
  const integers = list as IntegerArray;
  attachedCount(operation, argument, integers);
  return Array.from(copyOf(integers) as Int32Array, Number);
}

function copyOfArray(operation: string, argument: string, values: readonly unknown[], expected: string): unknown[] {
  try {
    const copy = arrayFor(operation, lengthOf(operation, argument, values), (n) => new Array<unknown>(n));
    for (let i = 0; i < copy.length; i++) copy[i] = values[i];
    return copy;
  } catch (error) {
    throw readingError(error, operation, argument, values, expected);
  }
}

/**
 * How often each token occurs, row by row; no rows at all if there are no tokens. @throws TypeError, RangeError for
 * what is not a token
 */
function countTokens(operation: string, { lists, isNested }: TokenLists, { n, count }: Rows): Map<number, number>[] {
  // An empty list means no tokens in any row.
  if (!isNested && lists[0]!.length === 0) return [];
  if (isNested ? lists.length !== count : count !== 1) {
    const got = isNested ? `${lists.length} arrays` : 'the tokens of one row';
    throw new RangeError(`${operation}: tokens is ${got}, expected an array for each of ${count} rows`);
  }
  return lists.map((list, row) => {
    const counts = new Map<number, number>();
    list.forEach((value, i) => {
      const token = checkToken(operation, isNested ? `tokens[${row}][${i}]` : `tokens[${i}]`, value, n);
      counts.set(token, (counts.get(token) ?? 0) + 1);
    });
    return counts;
  });
}

function checkToken(operation: string, argument: string, token: unknown, n: number): number {
  if (typeof token !== 'number') throw typeError(operation, argument, token, 'a token (an integer)');
  if (!(Number.isInteger(token) && token >= 0 && token < n)) {
    throw rangeError(operation, argument, token, `an integer in [0, ${n})`);
  }
  return token;
}

function readPenalties(operation: string, given: Given<PenalizeOptions>): Penalties {
  const repetition = readPenalty(operation, 'repetition', given.repetition, 1);
  if (!(repetition > 0)) throw rangeError(operation, 'repetition', repetition, 'a positive number');
  const frequency = readPenalty(operation, 'frequency', given.frequency, 0);
  const presence = readPenalty(operation, 'presence', given.presence, 0);
  return { repetition, frequency, presence };
}

function readPenalty(operation: string, argument: string, value: unknown, absent: number): number {
  if (value === undefined) return absent;
  return readNumber(operation, argument, value, 'a finite number', Number.isFinite);
}

/** Reads pairs of a token and the number to add to its logit, each once. @throws TypeError, RangeError */
function readBias(operation: string, bias: unknown): (readonly [number, number])[] {
  if (bias === undefined) return [];
  if (typeof bias !== 'object' || bias === null || typedArrayTag(bias) !== undefined)
    throw typeError(operation, 'bias', bias, BIAS);
  try {
    return pairsOf(operation, bias).map((pair, i) => readPair(operation, `bias[${i}]`, pair));
  } catch (error) {
    throw readingError(error, operation, 'bias', bias, BIAS);
  }
}

function pairsOf(operation: string, bias: object): unknown[] {
  if (isArray(bias)) return copyOfArray(operation, 'bias', bias, BIAS);
  const pairs = bias as Iterable<unknown>;
  if (typeof pairs[Symbol.iterator] === 'function') return Array.from(pairs);
  return Object.entries(bias).map(([key, value]) => [String(Number(key)) === key ? Number(key) : key, value]);
}

function readPair(operation: string, argument: string, pair: unknown): readonly [number, number] {
  if (!isArray(pair)) throw typeError(operation, argument, pair, BIAS);
  const [token, value] = copyOfArray(operation, argument, pair, BIAS);
  if (typeof token !== 'number') throw typeError(operation, `${argument}[0]`, token, 'a token (an integer)');
  if (typeof value !== 'number') throw typeError(operation, `${argument}[1]`, value, 'a number');
  if (Number.isNaN(value)) throw rangeError(operation, `${argument}[1]`, value, 'a number');
  return [token, value];
}

/**
 * Penalizes tokens that have occurred before, so that {@link sample} is less likely to draw them again: their logits
 * are divided by `repetition` if above 0 and multiplied by it if below, then reduced by `frequency` for each occurrence
 * and by `presence` once. Last, `bias` is added. Only the logits of these tokens are touched.
 *
 * Formulas: repetition, Keskar et al., CTRL, 2019, in the form of transformers' RepetitionPenaltyLogitsProcessor;
 * frequency, presence and bias, OpenAI's API. In place (`out: logits`), the time does not depend on the number of
 * classes.
 *
 * @param logits one row, or shape [..., classes].
 * @param tokens the tokens of the row, each one as often as it occurs; for several rows an array of such arrays, or a
 * tensor-like object of integers.
 * @returns a copy of the logits in the same kind of array or tensor, or `out`.
 * @throws TypeError for an argument of the wrong type or an unknown option; RangeError for a token out of range, a
 * wrong value, shape or length, or an `out` that overlaps with part of the logits.
 *
 * @example
 * penalize([2, 1, -1, 0.5], [0, 2, 2], { repetition: 2 }); // Float32Array [1, 1, -2, 0.5]
 * penalize([2, 1, -1, 0.5], [0, 2, 2], { frequency: 0.5, presence: 0.25 }); // Float32Array [1.25, 1, -2.25, 0.5]
 * @example
 * penalize([2, 1, -1, 0.5], [], { bias: { 0: -Infinity, 3: 1 } }); // Float32Array [-Infinity, 1, -1, 1.5]
 */
export function penalize<X extends Input, const O extends PenalizeOptions | undefined = NoOptions>(
  logits: X,
  tokens: Tokens | readonly Tokens[] | TensorLike,
  ...options: OptionsArgument<O, PenalizeOptions>
): MapResult<X, O>;
export function penalize(logits: unknown, tokens: unknown, options?: unknown): unknown {
  return runPenalize(logits, tokens, options);
}
