import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { examples, readmePrograms, runExample, runProgram } from './support/examples.js';

/** What an example must have printed. */
const CHECKS: Record<string, (printed: string) => void> = {
  'train-classifier.mjs': (printed) => {
    const accuracies = columnsOf(printed, /^ +\d+ +[\d.]+ +([\d.]+) %$/gm).flat();
    expect(accuracies.length).toBeGreaterThan(4);
    expect(accuracies.at(-1)).toBeGreaterThan(90);
    expect(printed).toContain('256 × 1024');
  },
  'multi-label.mjs': (printed) => {
    const losses = columnsOf(printed, /^ +\d+ +([\d.]+)$/gm).flat();
    expect(losses.length).toBe(12);
    expect(losses[5]).toBeLessThan(losses[0]! / 1.5);
    const [, recall, , weightedRecall] = columnsOf(printed, /^spot +\d+ % +(\d+) % +(\d+) % +(\d+) % +(\d+) %$/gm)[0]!;
    expect(weightedRecall).toBeGreaterThan(recall! + 10);
  },
  'distillation.mjs': (printed) => {
    const gains = columnsOf(printed, /^\d+ .* (-?[\d.]+) points +2 of 2$/gm).flat();
    expect(gains.length).toBe(4);
    expect(Math.min(...gains)).toBeGreaterThan(2);
  },
  'evaluate-in-workers.mjs': (printed) => {
    const lines = columnsOf(printed, /^\d+ +[\d.]+ +\d+ +[\d.]+ × +([\d.]+) +([\d.]+) +([\d.]+)$/gm);
    const [[, , ece]] = lines as [[number, number, number]];
    // Any number of workers finds the same figures.
    for (const figures of lines) expect(figures).toEqual(lines[0]);
    expect(printed).toContain(`ECE of all rows in one call: ${ece.toFixed(4)}`);
  },
  'calibration.mjs': (printed) => {
    const [[ece, , nll], [scaledEce, , scaledNll]] = columnsOf(
      printed,
      /^(?:before|after) +(\S+) +(\S+) +(\S+) +\S+$/gm,
    ) as [[number, number, number], [number, number, number]];
    expect(scaledEce).toBeLessThan(ece / 2);
    expect(scaledNll).toBeLessThan(nll);
    const [before, after] = printed.match(/^.*\.svg$/gm)!.map((file) => readFileSync(file, 'utf8')) as [string, string];
    expect(before).toContain(`>ECE ${ece.toFixed(3)}<`);
    expect(after).toContain('Unseen digits, after temperature scaling');
  },
  'text-generation.mjs': (printed) => {
    const losses = columnsOf(printed, /^ +\d+ +([\d.]+) +[\d.]+$/gm).flat();
    expect(losses.length).toBe(6);
    expect(losses.at(-1)).toBeLessThan(losses[0]! / 1.3);
    const texts = [...printed.matchAll(/^ {2}(the rabbit.{150})$/gm)].map(([, text]) => text);
    expect(new Set(texts).size).toBe(6);
    expect(printed).toContain('The same seed and steps, the same text: yes');
  },
  'attention.mjs': (printed) => {
    expect(printed).toContain('Checked: all 48 rows sum to 1');
    expect(printed).not.toContain('\x1b');
    // The first word attends to itself alone; the last word of the shorter sentence is followed by padding.
    expect(printed).toMatch(/^a +██(?:· ){11} +██(?:· ){10}·$/m);
    expect(printed).toMatch(/^rose +░░ {4}░░ {4}░░(?:· ){4} /m);
  },
};

/** The numbers that a pattern captures, line by line. */
function columnsOf(printed: string, pattern: RegExp): number[][] {
  return [...printed.matchAll(pattern)].map(([, ...caught]) => caught.map(Number));
}

describe('examples', () => {
  test.each(examples)(
    '%s runs',
    async (name) => {
      const printed = await runExample(name);
      // The mistakes may lead to NaN.
      if (name !== 'common-mistakes.mjs') expect(printed).not.toMatch(/NaN|undefined/);
      CHECKS[name]?.(printed);
    },
    60_000,
  );
});

test.each(readmePrograms)("the README's program that begins with %j runs", async (_, program) => {
  await expect(runProgram(program)).resolves.toBe('');
});
