// The resident memory of this process.

import { setTimeout as delay } from 'node:timers/promises';

/** Memory is measured this number of times, each time after a pause in milliseconds. */
const MEASUREMENTS = 4;
const PAUSE_MS = 200;

/** @returns {Promise<number>} Resident bytes after garbage collection, the least of several measurements. */
export async function residentBytes() {
  let least = Infinity;
  for (let left = MEASUREMENTS; left > 0; left--) {
    globalThis.gc?.();
    await delay(PAUSE_MS);
    least = Math.min(least, process.memoryUsage.rss());
  }
  return least;
}
