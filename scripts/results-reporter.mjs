/**
 * A reporter of node:test that prints a line of JSON for each test that has ended: its title, and the error and the
 * standard error of its file if it has failed.
 */

import { inspect } from 'node:util';

/** The number of characters that are kept of the standard error of a file. */
const MAX_LENGTH = 4000;

/** @typedef {{ title: string, failure?: string }} TestResult */

/** @param {AsyncIterable<{ type: string, data: any }>} events */
export default async function* results(events) {
  const written = new Map();
  for await (const { type, data } of events) {
    if (type === 'test:stderr') {
      written.set(data.file, ((written.get(data.file) ?? '') + data.message).slice(-MAX_LENGTH));
    } else if (type === 'test:pass' || type === 'test:fail') {
      /** @type {TestResult} */
      const line = { title: data.name, failure: type === 'test:fail' ? describeFailure(data, written) : undefined };
      yield `${JSON.stringify(line)}\n`;
    }
  }
}

/**
 * @param {any} data
 * @param {Map<string, string>} written The standard error of each file.
 * @returns {string | undefined} Undefined for a suite or file that only reports the failures of its tests again.
 */
function describeFailure({ name, file, line, details }, written) {
  const { error, duration_ms: duration } = details;
  if (error?.failureType === 'subtestsFailed') return undefined;
  const text = `FAILED ${name} (${file}:${line}, after ${Math.round(duration)} ms)\n${inspect(error)}\n`;
  return written.has(file) ? `${text}standard error:\n${written.get(file)}\n` : text;
}
