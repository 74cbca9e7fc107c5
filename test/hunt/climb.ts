/** Searches for the input whose result has the largest error: hill climbing from many starts. */

export type Random = () => number;

export interface Verdict {
  /** The largest error of the result divided by its bound: above 1 the bound is missed. */
  readonly ratio: number;
  /** The element with that error. */
  readonly at: number;
}

export interface Quarry<Input> {
  draw(random: Random): Input;
  /** The input with one or two changes; `at` is the element with the largest error. */
  mutate(input: Input, at: number, random: Random): Input;
  judge(input: Input): Verdict;
  /** A climb ends after this many successive changes without improvement. */
  patience(input: Input): number;
}

export interface Found<Input> extends Verdict {
  readonly input: Input;
  /** How many inputs were tried. */
  readonly tries: number;
}

/** How many inputs are drawn for a climb, which begins at the worst of them. */
const STARTS = 8;

/**
 * The worst input found within the time. Every other climb begins near the worst one so far, the others anywhere.
 * Time only decides when the search ends, so that a seed repeats it, as far as it gets.
 */
export function hunt<Input>(quarry: Quarry<Input>, random: Random, milliseconds: number): Found<Input> {
  const end = performance.now() + milliseconds;
  const judged = (input: Input) => ({ input, ...quarry.judge(input) });
  let best = judged(quarry.draw(random));
  let tries = 1;
  // The ratio is Infinity if a result is not a number, and nothing is worse.
  const goesOn = () => best.ratio < Infinity && performance.now() < end;
  for (let climb = 0; goesOn(); climb++) {
    const start = () => judged(climb % 2 === 0 ? quarry.draw(random) : kicked(quarry, best, random));
    let current = start();
    for (let i = 1; i < STARTS && goesOn(); i++, tries++) {
      const other = start();
      if (other.ratio > current.ratio) current = other;
    }
    const patience = current.ratio > 0 ? quarry.patience(current.input) : 0;
    for (let failures = 0; failures < patience && goesOn(); tries++) {
      const next = judged(quarry.mutate(current.input, current.at, random));
      failures = next.ratio > current.ratio ? 0 : failures + 1;
      if (next.ratio >= current.ratio) current = next;
      if (current.ratio > best.ratio) best = current;
    }
    if (current.ratio > best.ratio) best = current;
    tries++;
  }
  return { ...best, tries };
}

/** An input a few changes away. */
function kicked<Input>(quarry: Quarry<Input>, { input, at }: Verdict & { input: Input }, random: Random): Input {
  let result = input;
  for (let i = 0; i < 4; i++) result = quarry.mutate(result, at, random);
  return result;
}
