/** Records results of tests for docs/compatibility.md: one for each behaviour and release line of Baileys. */

import { appendFileSync } from 'node:fs';
import { relative, sep } from 'node:path';
import { ROOT } from '../../scripts/shared/root.mjs';

/** The sections of the document. */
export const SECTIONS = {
  clients: 'Two clients, one server',
  lines: 'Three lines of Baileys, one addon',
  socket: 'The socket, event by event',
  proxies: 'Proxies and agents',
  codec: 'Codec, noise handler and promiseTimeout',
  tls: 'Certificates',
  declarations: 'Declarations'
};

/**
 * Appends a result to the file in the variable `COMPAT_RECORD`. Does nothing if it is not set.
 *
 * @param {object} result
 * @param {keyof typeof SECTIONS} result.section
 * @param {string} result.behaviour the name of the row
 * @param {import('../../js/shared/baileys-layout.cjs').Dialect} result.line
 * @param {string} result.javascript a short text of the result of Baileys' own layer; it must be the same in every run
 * @param {string} result.native `same`, `as registered: ID`, or a text of our different result
 * @param {number} [result.sinceNode] the difference exists on this and later versions of Node
 */
export function record(result) {
  if (!process.env.COMPAT_RECORD) return;
  const test = relative(ROOT, process.argv[1] ?? '').replaceAll(sep, '/');
  appendFileSync(process.env.COMPAT_RECORD, `${JSON.stringify({ ...result, test })}\n`);
}
