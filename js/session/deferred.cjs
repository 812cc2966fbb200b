'use strict';

/**
 * Promises that a session settles later, for example when an answer arrives. A signal can abort the wait.
 *
 * @typedef {{ resolve: (value?: any) => void, reject: (reason: unknown) => void }} Deferred
 */

/**
 * Creates a promise. Its functions are in `list` until {@link settleAll} takes them or the signal aborts.
 *
 * @param {Deferred[]} list
 * @param {AbortSignal | undefined} signal not aborted yet
 */
function waitIn(list, signal, onAbort = () => {}) {
  return new Promise((resolve, reject) => {
    const entry = { resolve, reject };
    const aborted = () => {
      list.splice(list.indexOf(entry), 1);
      reject(signal?.reason);
      onAbort();
    };
    if (signal) {
      signal.addEventListener('abort', aborted, { once: true });
      /** @param {(value: any) => void} settle */
      const done = settle => (/** @type {unknown} */ value) => {
        signal.removeEventListener('abort', aborted);
        settle(value);
      };
      Object.assign(entry, { resolve: done(resolve), reject: done(reject) });
    }
    list.push(entry);
  });
}

/**
 * Empties `list` and calls `settle` for each of its entries.
 *
 * @param {Deferred[]} list
 * @param {(entry: Deferred) => void} settle
 */
function settleAll(list, settle) {
  list.splice(0).forEach(settle);
}

/**
 * Puts `resolve` and `reject` into `table` until one of them is called or the signal aborts.
 *
 * @param {Map<number, Deferred>} table
 * @param {number} number
 * @param {AbortSignal | undefined} signal not aborted yet
 * @param {(value: any) => void} resolve
 * @param {(reason: unknown) => void} reject
 */
function addDeferred(table, number, signal, resolve, reject, onAbort = () => {}) {
  /** @param {(value: any) => void} settle */
  const finish = settle => (/** @type {unknown} */ value) => {
    table.delete(number);
    signal?.removeEventListener('abort', aborted);
    settle(value);
  };
  const entry = { resolve: finish(resolve), reject: finish(reject) };
  const aborted = () => {
    entry.reject(signal?.reason);
    onAbort();
  };
  signal?.addEventListener('abort', aborted, { once: true });
  table.set(number, entry);
}

module.exports = { addDeferred, settleAll, waitIn };
