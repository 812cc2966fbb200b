// Pauses of an event loop: times in which it did not run, because a callback was slow or other processes used the CPU.

const PERIOD_MS = 50;
/** Shorter pauses are not kept. */
const LEAST_MS = 200;
/** The number of pauses that are kept. */
const MAX_PAUSES = 1000;

/** Records the pauses of this process from now on. */
export function watchPauses() {
  /** @type {{ end: number, ms: number }[]} */
  const pauses = [];
  let last = Date.now();
  setInterval(() => {
    const now = Date.now();
    const ms = now - last - PERIOD_MS;
    last = now;
    if (ms < LEAST_MS) return;
    pauses.push({ end: now, ms });
    if (pauses.length > MAX_PAUSES) pauses.shift();
  }, PERIOD_MS).unref();
  return {
    /** The longest pause that ended after a time, in milliseconds; 0 if none was long. @param {number} time */
    longestSince: time => Math.max(0, ...pauses.filter(({ end }) => end >= time).map(({ ms }) => ms))
  };
}
