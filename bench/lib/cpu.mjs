// CPU time of this process, and of its JavaScript thread alone.

import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';

const SCHEDSTAT = `/proc/self/task/${process.pid}/schedstat`;

const sum = ({ user, system }) => user + system;

/** Microseconds of CPU that the calling thread has used; only to be called on the main thread. */
function threadCpuUs() {
  if (typeof process.threadCpuUsage === 'function') return sum(process.threadCpuUsage());
  try {
    return Number.parseInt(readFileSync(SCHEDSTAT, 'latin1'), 10) / 1000;
  } catch {
    return NaN; // neither this Node nor this system tells
  }
}

/**
 * Starts to measure.
 *
 * @returns {() => { ms: number, cpuUs: number, threadUs: number }} What has passed since then: time, CPU time of all threads
 *   and of the JavaScript thread.
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
