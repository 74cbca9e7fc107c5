import { bestOf } from '../rounds.mjs';
import { OURS } from './peers.mjs';

/** Of each line of a case the best round, how far the next best is, and the ratios to ours. */
export function summarizeCase(lines) {
  const ours = lines.filter(({ peer, problem }) => OURS.includes(peer) && !problem);
  return lines.map((line) => {
    if (line.problem) return line;
    const { nanoseconds, spread } = bestOf(line.rounds);
    const ratios = ours.map(({ peer, rounds }) => [peer, nanoseconds / bestOf(rounds).nanoseconds]);
    return { ...line, nanoseconds, spread, ratios: Object.fromEntries(ratios) };
  });
}
