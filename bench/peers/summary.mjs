// What the rounds of a case come to. Processors change their speed by a third from one minute to the next; what was measured
// in the same round was measured at the same speed.
import { MOST_SPREAD, ratioSpread, summarize } from '../command.mjs';
import { OURS } from './peers.mjs';

/**
 * Of each line the best round, the ratios to ours, medians over rounds, and how far its figure may be off: the middle half
 * of the ratios, and of ours, which have none, the distance of the next best round.
 */
export function summarizeCase(lines) {
  const ours = OURS.flatMap((name) => lines.find(({ peer, problem }) => peer === name && !problem) ?? []);
  return lines.map((line) => {
    if (line.problem) return line;
    const [best, next] = [...line.rounds].sort((a, b) => a - b);
    const ratios = ours.map(({ peer, rounds }) => [peer, summarize(line.rounds.map((time, i) => time / rounds[i]))]);
    const spreads = ratios.filter(([peer]) => peer !== line.peer).map(([, figures]) => ratioSpread(figures));
    return {
      ...line,
      nanoseconds: best,
      spread: OURS.includes(line.peer) ? (next - best) / best : Math.max(...spreads),
      ratios: Object.fromEntries(ratios.map(([peer, { ratio }]) => [peer, ratio])),
    };
  });
}

/** Whether every figure of a case may be shown. */
export const isSettled = (lines) =>
  lines.every(({ problem, spread = Number.POSITIVE_INFINITY }) => problem || spread <= MOST_SPREAD);
