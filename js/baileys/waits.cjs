'use strict';

/**
 * Baileys' `promiseTimeout` (lib/Utils/generics.js), which waits for every stanza sent and for every answer.
 *
 * The original formats two stack traces and makes one error on each call. This one captures one stack trace and formats
 * it only when the time is up. A result, a rejection and the end of the time arrive in the same microtask as there.
 */

/** Status of a wait that took too long: Baileys' `DisconnectReason.timedOut`. */
const TIMED_OUT = 408;

/**
 * @typedef {object} Original What the waits of one copy of Baileys take from that copy, when the time is up.
 * @property {() => new (message: string, options: object) => Error} boom its `Boom` class, from `@hapi/boom`
 * @property {() => string | undefined} location where the original captures its stack, in the form of a stack frame:
 *   file, line and column
 */

/** @param {Original} original */
function createPromiseTimeout({ boom, location }) {
  /** @param {Error} trace captured when the wait began */
  const timedOut = trace => {
    const Boom = boom();
    return new Boom('Timed Out', { statusCode: TIMED_OUT, data: { stack: relocated(trace.stack, location()) } });
  };

  /**
   * A promise that is rejected when it is not settled in time.
   *
   * @param {number | undefined} ms the time in milliseconds; none or 0: there is no limit
   * @param {(resolve: (value: any) => void, reject: (reason?: unknown) => void) => void} promise the executor
   */
  return async function promiseTimeout(ms, promise) {
    if (!ms) return new Promise(promise);
    const trace = new Error();
    /** @type {NodeJS.Timeout | undefined} */
    let timer;
    const wait = new Promise((resolve, reject) => {
      // One microtask later, as in the original: what other timers of the same moment decide comes first.
      timer = setTimeout(
        () =>
          Promise.resolve()
            .then(() => reject(timedOut(trace)))
            .catch(reject),
        ms
      );
      promise(resolve, reject);
    });
    return wait.finally(() => clearTimeout(timer));
  };
}

/**
 * A stack trace with its first frame moved into Baileys' own file.
 *
 * @param {unknown} stack something else than text where `Error.prepareStackTrace` is replaced
 * @param {string | undefined} location
 */
function relocated(stack, location) {
  if (typeof stack !== 'string' || location === undefined) return stack;
  return stack.replace(/^(Error\n\s+at [^\n(]*\()[^\n]*(?=\))/, (_, frame) => frame + location);
}

module.exports = { createPromiseTimeout };
