// Times contenders in rounds that take turns, and evaluates the rounds. Other work on the machine only ever adds time,
// and processors change their speed by a third from one second to the next, so the best round of each contender counts.
// Rounds continue until they agree or reach a limit, so that every contender gets a round without disturbance.

/** A figure is shown if the second best round, or the interquartile range of the ratios, is within this fraction. */
export const MOST_SPREAD = 0.15;

/** The best round, and by how much the second best is slower. */
export function bestOf(rounds) {
  const [best, next = Infinity] = [...rounds].sort((a, b) => a - b);
  return { nanoseconds: best, spread: (next - best) / best };
}

export function medianOf(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}

/** The median and the interquartile range of the ratios of two contenders that took turns. */
export function summarize(ratios) {
  const sorted = [...ratios].sort((a, b) => a - b);
  const quartile = Math.floor((sorted.length - 1) / 4);
  return { ratio: medianOf(sorted), from: sorted[quartile], to: sorted[sorted.length - 1 - quartile] };
}

/** The width of the interquartile range, relative to the median. */
export const ratioSpread = ({ ratio, from, to }) => (to - from) / ratio;

/** How far apart the ratios of a contender's rounds to another's rounds in the same turns are. */
const spreadOfRatios = (rounds, others) => ratioSpread(summarize(rounds.map((time, i) => time / others[i])));

/** Whether a contender's two best rounds agree, and so do the ratios to the rounds of each yardstick. */
function agree(rounds, yardsticks) {
  if (!(bestOf(rounds).spread <= MOST_SPREAD)) return false;
  return yardsticks.every((others) => spreadOfRatios(rounds, others) <= MOST_SPREAD);
}

/**
 * Times contenders in turns: `least` rounds, then as many again, until all agree or there are `most`. Adds the times to
 * the `rounds` of each line. If lines have a `problem`, that of a contender that fails is set, and it drops out.
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
