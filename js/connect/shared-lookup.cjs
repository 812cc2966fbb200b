'use strict';

/**
 * `dns.lookup`, shared by concurrent calls for the same name. Many connections may be made again at once, and Node has
 * only four threads for lookups.
 */

const { AsyncResource } = require('node:async_hooks');
const dns = require('node:dns');

/** @typedef {(error: Error | null, result: any, family?: number) => void} Callback */

/** A call that is older than this number of milliseconds is not shared: a replaced `dns.lookup` may never answer. */
const SHARED_MS = 5_000;

/**
 * The running calls by name.
 *
 * @type {Map<string, { lookup: Function, start: number, callbacks: Callback[] }>}
 */
const running = new Map();

/**
 * Resolves a name to all its addresses, in the order of the operating system.
 *
 * @param {string} host
 * @param {Callback} callback
 */
function sharedLookup(host, callback) {
  // A program may replace this function at any time.
  const lookup = /** @type {Function} */ (dns.lookup);
  const known = running.get(host);
  const start = performance.now();
  if (known !== undefined && known.lookup === lookup && start - known.start < SHARED_MS) {
    known.callbacks.push(AsyncResource.bind(callback));
    return;
  }
  const call = { lookup, start, callbacks: [callback] };
  running.set(host, call);
  /** @type {Callback} */
  const answer = (...result) => {
    if (running.get(host) === call) running.delete(host);
    for (const each of call.callbacks.splice(0)) each(...result);
  };
  try {
    lookup(host, { all: true, family: 0, hints: 0 }, answer);
  } catch (error) {
    running.delete(host);
    throw error;
  }
}

module.exports = { sharedLookup };
