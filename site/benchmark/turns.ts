/** Synchronizes threads through shared memory, which takes microseconds and needs neither messages nor promises. */

/** The indices of two counts: turns that have begun, and threads that have not finished the current one. */
const [TURN, PENDING] = [0, 1];

export function makeTurns(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(8));
}

/** Begins a turn and wakes the threads. */
export function beginTurn(turns: Int32Array, threads: number): void {
  Atomics.store(turns, PENDING, threads);
  Atomics.add(turns, TURN, 1);
  Atomics.notify(turns, TURN);
}

/** Sleeps until more turns than this have begun. */
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
