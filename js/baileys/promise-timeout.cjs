'use strict';

const {
  statusCode: { CONNECTION_LOST }
} = require('../addon/abi.cjs');

/**
 * Baileys' `promiseTimeout` (lib/Utils/generics.js), which is called for every stanza that is sent and every answer.
 *
 * The original formats two stack traces and creates one error on each call. This one captures one stack trace and
 * formats it only when the time is up. Results, rejections and timeouts arrive in the same microtask as in the
 * original.
 */

/**
 * @typedef {object} Original The parts of one copy of Baileys that are needed when the time is up.
 * @property {() => new (message: string, options: object) => Error} boom its `Boom` class, from `@hapi/boom`
 * @property {() => string | undefined} location file, line and column where the original captures its stack, as in a
 *   stack frame
 */

/** @param {Original} original */
function createPromiseTimeout({ boom, location }) {
  /** @param {Error} trace error whose stack was captured when the wait began */
  const timedOut = trace => {
    const Boom = boom();
    return new Boom('Timed Out', { statusCode: CONNECTION_LOST, data: { stack: relocated(trace.stack, location()) } });
  };

  /**
   * A promise that is rejected if it is not settled in time.
   *
   * @param {number | undefined} ms the time in milliseconds; undefined or 0: no limit
   * @param {(resolve: (value: any) => void, reject: (reason?: unknown) => void) => void} promise the executor
   */
  return async function promiseTimeout(ms, promise) {
    if (!ms) return new Promise(promise);
    const trace = new Error();
    /** @type {NodeJS.Timeout | undefined} */
    let timer;
    const wait = new Promise((resolve, reject) => {
      // Rejects one microtask later, as the original: another timer of the same moment can settle the promise first.
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
 * Replaces the location of the first frame of a stack trace by `location`.
 *
 * @param {unknown} stack not a string if the program has replaced `Error.prepareStackTrace`
 * @param {string | undefined} location
 */
function relocated(stack, location) {
  if (typeof stack !== 'string' || location === undefined) return stack;
  return stack.replace(/^(Error\n\s+at [^\n(]*\()[^\n]*(?=\))/, (_, frame) => frame + location);
}

module.exports = { createPromiseTimeout };
