import { isArray, rangeError, show, typeError } from '../errors.js';
import { readNumber } from '../numbers.js';
import type { PlaceOptions } from '../types.js';
import { isOnlyOnObjectPrototype, PLAIN, readingError, unpolluted } from './caller.js';

/** A name without capitals, underscores and a plural s: ignore_index becomes ignoreindex, as ignoreIndex does. */
const normalize = (name: string) => name.toLowerCase().replace(/_|s$/g, '');

/** Our names for those of other libraries, which are keys in the form that `normalize` returns. */
const OTHER_NAMES: Record<string, string> = {
  dim: 'axis',
  axe: 'axis',
  iscausal: 'causal',
  attnmask: 'mask',
  b: 'weights',
  classweight: 'weight',
  tau: 'temperature',
  t: 'temperature',
  nbin: 'bins',
  topk: 'k',
  output: 'out',
};

/**
 * The names of an operation's options: exactly those of its interface. An object, so that looking one up is a property
 * read.
 */
export type OptionNames<T> = Readonly<Record<keyof T, true>>;

export const PLACE_OPTIONS: OptionNames<PlaceOptions> = { shape: true, axis: true };

/**
 * Operations that take long anyway pass this as `polluted`: their options are then always read through `unpolluted`,
 * and they need no check of their own names.
 */
export const AS_IF_POLLUTED = true;

/** What an operation's errors say about some unknown names, in addition to OTHER_NAMES. */
export type Hints = Readonly<Record<string, string>>;

/** Options whose values have not been checked yet. */
export type Given<T> = { readonly [name in keyof T]?: unknown };

/** Stands for options that are not given: an object whose prototype is empty and cannot be polluted. */
class Nothing {}
Object.setPrototypeOf(Nothing.prototype, null);
const NOTHING = new Nothing();

/**
 * The options of a call; read each of them only once. Properties added to Object.prototype are not among them: see
 * caller.ts. Operations whose calls must be fast pass `polluted` themselves, by checking only their own names.
 * @throws TypeError for options that are not an object or hold a name that is not among `names`.
 */
export function readOptions<T extends object>(
  operation: string,
  options: unknown,
  names: Partial<OptionNames<T>>,
  polluted?: boolean,
  hints?: Hints,
): Given<T> {
  if (options === undefined) return NOTHING as Given<T>;
  try {
    if (typeof options !== 'object' || options === null || isArray(options)) {
      throw typeError(operation, 'options', options, `an object${optionHint(options, names)}`);
    }
    for (const name in options) {
      if (names[name as keyof T] !== true && !isOnlyOnObjectPrototype(options, name)) {
        throw unknownOption(operation, name, names, hints);
      }
    }
    return ((polluted ?? isPolluted()) ? unpolluted(options) : options) as Given<T>;
  } catch (error) {
    throw readingError(error, operation, 'options', options, 'an object');
  }
}

/**
 * Whether someone has added a property with the name of an option to Object.prototype. Written out one by one, the
 * reads cost next to nothing; a loop over the names would take as long as a small softmax.
 */
export function isPolluted(): boolean {
  const plain = PLAIN;
  return (
    plain.shape !== undefined ||
    plain.axis !== undefined ||
    plain.keepDims !== undefined ||
    plain.temperature !== undefined ||
    plain.mask !== undefined ||
    plain.causal !== undefined ||
    plain.weights !== undefined ||
    plain.weight !== undefined ||
    plain.posWeight !== undefined ||
    plain.ignoreIndex !== undefined ||
    plain.labelSmoothing !== undefined ||
    plain.logTarget !== undefined ||
    plain.reduction !== undefined ||
    plain.gradOutput !== undefined ||
    plain.accumulate !== undefined ||
    plain.k !== undefined ||
    plain.out !== undefined ||
    plain.dtype !== undefined ||
    plain.backend !== undefined ||
    plain.module !== undefined ||
    plain.maxMemory !== undefined
  );
}

/** What the caller means who passes another library's argument in place of our options. */
function optionHint(options: unknown, names: Readonly<Partial<Record<string, true>>>): string {
  if (typeof options === 'number' && names.axis) return `: { axis: ${options} }`;
  return isArray(options) && names.shape ? ': { shape: […] }' : '';
}

function unknownOption(
  operation: string,
  name: string,
  names: Readonly<Partial<Record<string, true>>>,
  hints?: Hints,
): TypeError {
  const all = Object.keys(names);
  const key = normalize(name);
  const ours = all.find((own) => normalize(own) === key || own === OTHER_NAMES[key]);
  let hint = hints?.[name] ?? (ours ? `the name is ${ours} here` : `expected one of ${all.join(', ')}`);
  if (name === 'scale' && names.temperature) hint = 'expected temperature, which divides: 1 / scale';
  return new TypeError(`${operation}: unknown option ${show(name)}, ${hint}`);
}

/** Bounds of temperatures: far enough within the normal numbers of the dtype for t and 1 / t. */
export const LOW_TEMPERATURE = { 4: 2 ** -100, 8: 2 ** -900 } as const;
export const HIGH_TEMPERATURE = { 4: 2 ** 100, 8: 2 ** 900 } as const;

/**
 * The option `temperature`: a positive number in the range of the dtype. In errors, `or` names what else the operation
 * takes. @throws TypeError, RangeError
 */
export function readTemperature(operation: string, temperature: unknown, elementBytes: 4 | 8, or = ''): number {
  if (temperature === undefined || temperature === 1) return 1;
  if (typeof temperature !== 'number') throw typeError(operation, 'temperature', temperature, `a positive number${or}`);
  if (!(temperature >= LOW_TEMPERATURE[elementBytes] && temperature <= HIGH_TEMPERATURE[elementBytes])) {
    const bounds = elementBytes === 4 ? '[2^-100, 2^100]' : '[2^-900, 2^900]';
    const hint = temperature === 0 ? ' (for 0 take argmax, or sample)' : '';
    throw rangeError(operation, 'temperature', temperature, `a number in ${bounds}${or}${hint}`);
  }
  return temperature;
}

/** An option in [0, 1], `absent` when it is not given. @throws TypeError, RangeError */
export function readShare(operation: string, argument: string, share: unknown, absent: number): number {
  if (share === undefined) return absent;
  return readNumber(operation, argument, share, 'a number in [0, 1]', (value) => value >= 0 && value <= 1);
}

/** An option that is true or false, false when it is not given. @throws TypeError */
export function readFlag(operation: string, argument: string, flag: unknown): boolean {
  if (flag === undefined) return false;
  if (typeof flag !== 'boolean') throw typeError(operation, argument, flag, 'true or false');
  return flag;
}
