/** Keeps what the tests measured, for docs/compatibility.md: one result a behaviour and line of Baileys. */

import { appendFileSync } from 'node:fs';
import { relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The sections of the document. */
export const SECTIONS = {
  clients: 'Two clients, one server',
  lines: 'Three lines of Baileys, one addon',
  socket: 'The socket, event by event',
  proxies: 'Proxies and agents',
  codec: 'Codec, noise handler and waits',
  declarations: 'Declarations'
};

/**
 * Writes a result into the file that `COMPAT_RECORD` names; does nothing where there is none.
 *
 * @param {object} result
 * @param {keyof SECTIONS} result.section
 * @param {string} result.behaviour what was tried, in words; the row
 * @param {'7' | '6.7' | '6.17'} result.line
 * @param {string} result.javascript what Baileys' own layer did, in a few words that are the same in every run
 * @param {string} result.native `same`, `as registered: ID` or what ours did instead
 */
export function record(result) {
  if (!process.env.COMPAT_RECORD) return;
  const test = relative(ROOT, process.argv[1] ?? '').replaceAll(sep, '/');
  appendFileSync(process.env.COMPAT_RECORD, `${JSON.stringify({ ...result, test })}\n`);
}
