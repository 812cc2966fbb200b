// The measured side of a bench: a child process that gets its settings from its parent and calls the server through it.

import { childMain } from '../../scripts/shared/child.mjs';

/** @type {(what: string, data?: any) => Promise<any>} */
let ask;

/**
 * Calls the server through the parent.
 *
 * @param {string} what The name of a function in `children/server.mjs`.
 * @param {object} [data]
 */
export const askServer = (what, data) => ask('server', { what, data });

/**
 * Measures in this process's turn; see `turns.mjs`. What `measure` needs is prepared before the call.
 *
 * @template Result
 * @param {() => Promise<Result>} measure
 * @returns {Promise<Result>} Resolves when the other processes have had their turns too.
 */
export async function inTurn(measure) {
  await ask('turn');
  const result = await measure();
  await ask('turnEnd');
  return result;
}

/**
 * Runs a measurement, from the settings to the result, and ends the process.
 *
 * @param {(settings: any) => Promise<object>} run
 */
export const runMeasurement = run =>
  childMain((settings, askParent) => {
    ask = askParent;
    return run(settings);
  });
