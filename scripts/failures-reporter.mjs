/** A reporter of node:test that says only what failed, and what the file of it wrote to its standard error. */

import { inspect } from 'node:util';

/** How much of a file's standard error is kept, in characters. */
const KEPT = 4000;

export default async function* failures(events) {
  const written = new Map();
  for await (const { type, data } of events) {
    if (type === 'test:stderr') {
      written.set(data.file, ((written.get(data.file) ?? '') + data.message).slice(-KEPT));
    } else if (type === 'test:fail') {
      const { error, duration_ms: duration } = data.details;
      // A suite or a file that only repeats what failed in it.
      if (error?.failureType === 'subtestsFailed') continue;
      yield `FAILED ${data.name} (${data.file}:${data.line}, after ${Math.round(duration)} ms)\n${inspect(error)}\n`;
      if (written.has(data.file)) yield `it wrote:\n${written.get(data.file)}\n`;
    }
  }
}
