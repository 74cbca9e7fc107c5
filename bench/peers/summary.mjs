import { bestOf } from '../rounds.mjs';
import { OURS } from './peers.mjs';

/** Adds to each line of a case its best round, how far the next best is, and the ratios to our backends. */
export function summarizeCase(lines) {
  const ours = lines.filter(({ peer, problem }) => OURS.includes(peer) && !problem);
  return lines.map((line) => {
    if (line.problem) return line;
    const { nanoseconds, spread } = bestOf(line.rounds);
    const ratios = ours.map(({ peer, rounds }) => [peer, nanoseconds / bestOf(rounds).nanoseconds]);
    return { ...line, nanoseconds, spread, ratios: Object.fromEntries(ratios) };
  });
}
