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
 * Runs a measurement, from the settings to the result, and ends the process.
 *
 * @param {(settings: any) => Promise<object>} run
 */
export const runMeasurement = run =>
  childMain((settings, askParent) => {
    ask = askParent;
    return run(settings);
  });
