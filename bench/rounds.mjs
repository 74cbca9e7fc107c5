// Rounds of contenders that take turns, and what they come to. Other work only ever adds time, and processors change their
// speed by a third from one second to the next: the best round of each counts. Rounds go on until their ratios agree or
// there are many, so that everyone has had a good moment.

/** How far the next best round, or the middle half of ratios, may lie apart for a figure that is shown. */
export const MOST_SPREAD = 0.15;

/** The best round, and how far the next best is. */
export function bestOf(rounds) {
  const [best, next = Infinity] = [...rounds].sort((a, b) => a - b);
  return { nanoseconds: best, spread: (next - best) / best };
}

export function medianOf(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}

/** Of ratios of two contenders that took turns: the median, and between which the middle half of them lies. */
export function summarize(ratios) {
  const sorted = [...ratios].sort((a, b) => a - b);
  const quartile = Math.floor((sorted.length - 1) / 4);
  return { ratio: medianOf(sorted), from: sorted[quartile], to: sorted[sorted.length - 1 - quartile] };
}

/** How far the middle half lies apart. */
export const ratioSpread = ({ ratio, from, to }) => (to - from) / ratio;

/** How far the ratios of rounds to those of others in the same turns lie apart. */
const apart = (rounds, others) => ratioSpread(summarize(rounds.map((time, i) => time / others[i])));

/** Whether best and next best, and ratios to the contenders that others are compared with, agree. */
function agree(rounds, yardsticks) {
  return bestOf(rounds).spread <= MOST_SPREAD && yardsticks.every((others) => apart(rounds, others) <= MOST_SPREAD);
}

/**
 * Times contenders in turns: `least` rounds, and as many again and again up to `most` until they agree. Adds to the
 * `rounds` of each line; one that fails gets its `problem` and drops out, if the lines have that.
 * @param {{ rounds: number[], problem?: string }[]} lines one for each contender
 * @param {(line: any, round: number) => Promise<number>} measure nanoseconds of a call
 * @param {{ least: number, most: number }} counts
 * @param {(line: any) => boolean} [isYardstick] whether the others are compared with it
 */
export async function takeTurns(lines, measure, { least, most }, isYardstick = (line) => line === lines[0]) {
  const running = () => lines.filter(({ problem }) => !problem);
  const isSettled = () => {
    const yardsticks = running().flatMap((line) => (isYardstick(line) ? [line.rounds] : []));
    return running().every(({ rounds }) => agree(rounds, yardsticks));
  };
  for (let round = 0; round < most && (round === 0 || round % least > 0 || !isSettled()); round++) {
    for (const line of running()) {
      try {
        line.rounds.push(await measure(line, round + 1));
      } catch (error) {
        if (line.problem === undefined) throw error;
        line.problem = error.message;
      }
    }
  }
}
