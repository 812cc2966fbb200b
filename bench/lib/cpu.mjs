// CPU time of this process and of its JavaScript thread.

import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';

const SCHEDSTAT = `/proc/self/task/${process.pid}/schedstat`;

const sum = ({ user, system }) => user + system;

/** CPU time of the calling thread in microseconds. Call it only on the main thread. */
function threadCpuUs() {
  // From Node 24 on.
  const { threadCpuUsage } = /** @type {any} */ (process);
  if (threadCpuUsage !== undefined) return sum(threadCpuUsage.call(process));
  try {
    return Number.parseInt(readFileSync(SCHEDSTAT, 'latin1'), 10) / 1000;
  } catch {
    return NaN; // not available on this Node and system
  }
}

/**
 * Starts to measure.
 *
 * @returns {() => { ms: number, cpuUs: number, threadUs: number }} Returns the values since then: time, CPU time of all
 *   threads, and CPU time of the JavaScript thread.
 */
export function stopwatch() {
  const thread = threadCpuUs();
  const usage = process.cpuUsage();
  const start = performance.now();
  return () => {
    const ms = performance.now() - start;
    return { ms, cpuUs: sum(process.cpuUsage(usage)), threadUs: threadCpuUs() - thread };
  };
}
