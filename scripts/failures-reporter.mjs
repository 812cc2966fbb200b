/** A reporter of node:test that prints only failures, with the standard error of their files. */

import { inspect } from 'node:util';

/** The number of characters that are kept of the standard error of a file. */
const MAX_LENGTH = 4000;

/** @param {AsyncIterable<{ type: string, data: any }>} events */
export default async function* failures(events) {
  const written = new Map();
  for await (const { type, data } of events) {
    if (type === 'test:stderr') {
      written.set(data.file, ((written.get(data.file) ?? '') + data.message).slice(-MAX_LENGTH));
    } else if (type === 'test:fail') {
      const { error, duration_ms: duration } = data.details;
      // A suite or file that only reports the failures of its tests again.
      if (error?.failureType === 'subtestsFailed') continue;
      yield `FAILED ${data.name} (${data.file}:${data.line}, after ${Math.round(duration)} ms)\n${inspect(error)}\n`;
      if (written.has(data.file)) yield `standard error:\n${written.get(data.file)}\n`;
    }
  }
}
