// Timing of synchronous calls: a warm-up, then batches that are long enough for the clock. The median of the batches
// counts.

import { performance } from 'node:perf_hooks';
import { median } from './statistics.mjs';

/**
 * @typedef {object} Effort
 * @property {number} warmUpMs
 * @property {number} batchMs About how long a batch takes.
 * @property {number} batches
 */

/** @type {Record<'full' | 'quick', Effort>} */
export const EFFORT = {
  full: { warmUpMs: 25, batchMs: 3, batches: 3 },
  quick: { warmUpMs: 6, batchMs: 1, batches: 3 }
};

/**
 * Warms up a call, and returns a function that measures it. Before each batch `prepare` creates `count` inputs. Then
 * `run` is called with them. Only `run` is timed.
 *
 * @template Prepared
 * @param {(count: number) => Prepared} prepare
 * @param {(prepared: Prepared, count: number) => void | Promise<void>} run
 * @param {Effort} effort
 * @param {number} [maxCount] The most inputs that are prepared at once.
 * @returns {Promise<() => Promise<number>>} Nanoseconds for one input, the median over the batches.
 */
export async function timePrepared(prepare, run, { warmUpMs, batchMs, batches }, maxCount = Infinity) {
  const once = async count => {
    const prepared = prepare(count);
    const start = performance.now();
    const pending = run(prepared, count);
    if (pending) await pending;
    return performance.now() - start;
  };
  let count = 1;
  let spent = 0;
  let each = Infinity;
  while (spent < warmUpMs) {
    const ms = await once(count);
    spent += Math.max(ms, 0.01);
    each = Math.max(ms / count, 1e-5);
    count = Math.max(1, Math.min(count * 2, maxCount, Math.ceil(batchMs / each)));
  }
  count = Math.max(1, Math.min(maxCount, Math.round(batchMs / each)));
  return async () => {
    const times = [];
    for (let batch = 0; batch < batches; batch++) times.push((await once(count)) / count);
    return median(times) * 1e6;
  };
}

/**
 * Like {@link timePrepared}, for a call that can be repeated with the same input.
 *
 * @param {() => unknown} call
 * @param {Effort} effort
 */
export function timeRepeated(call, effort) {
  const run = (_, count) => {
    for (let left = count; left > 0; left--) lastResult = call();
  };
  return timePrepared(() => undefined, run, effort);
}

/** The last result. It is stored so that V8 does not remove the call. */
export let lastResult;
