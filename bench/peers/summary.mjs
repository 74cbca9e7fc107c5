// What the rounds of a case come to. Other work only ever adds time, and processors change their speed by a third from one
// second to the next: the best round counts, of ours and of theirs. Rounds take turns, and go on until their ratios agree
// or there are many, so that everyone has had a good moment.
import { MOST_SPREAD, ratioSpread, summarize } from '../command.mjs';
import { OURS } from './peers.mjs';

/** Of each line the best round, how far the next best is, the ratios to ours, and how far those of the rounds lie apart. */
export function summarizeCase(lines) {
  const ours = OURS.flatMap((name) => lines.find(({ peer, problem }) => peer === name && !problem) ?? []);
  return lines.map((line) => {
    if (line.problem) return line;
    const [best, next] = [...line.rounds].sort((a, b) => a - b);
    const ratios = ours.map(({ peer, rounds }) => [peer, best / Math.min(...rounds)]);
    const apart = ours.map(({ rounds }) => ratioSpread(summarize(line.rounds.map((time, i) => time / rounds[i]))));
    const spread = (next - best) / best;
    return { ...line, nanoseconds: best, spread, ratios: Object.fromEntries(ratios), apart: Math.max(0, ...apart) };
  });
}

/** Whether the rounds of a case agree. */
export const isSettled = (lines) =>
  lines.every(({ problem, spread = 1, apart = 1 }) => problem || (spread <= MOST_SPREAD && apart <= MOST_SPREAD));
