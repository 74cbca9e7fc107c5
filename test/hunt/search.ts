/** Runs the search for a line of the tables of bounds. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { randomOf } from '../support/cases.js';
import { columnOf } from '../support/hunted.js';
import { type Found, hunt } from './climb.js';
import { describeInput, type Input } from './inputs.js';
import type { Line } from './lines.js';

/** SEED, or a new seed each time. */
export function chooseSeed(): number {
  return process.env.SEED === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(process.env.SEED);
}

export function titleOf(line: Line): string {
  return `${line.what}: ${columnOf(line)}`;
}

/** Each line has its own random numbers, which do not depend on the other lines that are searched. */
export function search(line: Line, seed: number, seconds: number): Found<Input> {
  let own = seed;
  for (const character of titleOf(line)) own = (Math.imul(own, 31) + (character.codePointAt(0) as number)) >>> 0;
  return hunt(line.quarry(seconds), randomOf(own), 1000 * seconds);
}

/** A description with more characters than this goes into a file. */
const PRINTED = 2000;

/** Fails with everything that is needed to reproduce the error. */
export function failWhereMissed(line: Line, seed: number, { ratio, at, input }: Found<Input>): void {
  if (ratio <= 1) return;
  let shown = describeInput(input);
  if (shown.length > PRINTED) {
    const file = `build/hunt/${titleOf(line).replace(/[^\w.-]+/g, '-')}.txt`;
    mkdirSync('build/hunt', { recursive: true });
    writeFileSync(file, shown);
    shown = `${shown.slice(0, PRINTED)}… (all of it in ${file})`;
  }
  throw new Error(`${titleOf(line)}: ${ratio} of the bound at ${at}, SEED=${seed}\n${shown}`);
}
