/** How threads take turns over memory that they share: no message, no promise, some microseconds. */

/** The number of turns that have begun, and of threads that have not ended the last one. */
const [TURN, PENDING] = [0, 1];

export function makeTurns(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(8));
}

/** Wakes so many threads. */
export function beginTurn(turns: Int32Array, threads: number): void {
  Atomics.store(turns, PENDING, threads);
  Atomics.add(turns, TURN, 1);
  Atomics.notify(turns, TURN);
}

/** Sleeps until there have been more turns than this. */
export function waitForTurn(turns: Int32Array, turn: number): void {
  Atomics.wait(turns, TURN, turn);
}

export function endTurn(turns: Int32Array): void {
  if (Atomics.sub(turns, PENDING, 1) === 1) Atomics.notify(turns, PENDING);
}

/** Sleeps until all threads have ended the turn. */
export function waitForEnd(turns: Int32Array): void {
  for (let left = Atomics.load(turns, PENDING); left > 0; left = Atomics.load(turns, PENDING)) {
    Atomics.wait(turns, PENDING, left);
  }
}
