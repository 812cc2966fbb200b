// Runs rows of hostile peers on one layer: the peers are in this process, the client in a child.

import { fork } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { forkOptions } from '../shared/bot.mjs';
import { openChannel } from '../shared/channel.mjs';
import { root } from './rows-noise.mjs';

const CLIENT = fileURLToPath(new URL('client.mjs', import.meta.url));
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The time that a row may take, in milliseconds: Baileys waits for the closing handshake, which may take 30 s. */
const ROW_MS = 40_000;
/** As much for the rows that take the total bound of an opening. */
const LONG_ROW_MS = 150_000;
/** The memory that a row may take, in MiB: docs/security.md, with the buffers of the JavaScript side. */
const ROW_MIB = 250;
/** The limit of an opening, in milliseconds, for rows that end by it. */
const SHORT_CONNECT_MS = 2_000;
/** The same for all other rows. A busy machine must not reach it. */
const CONNECT_MS = 30_000;
/** AddressSanitizer keeps freed memory. */
const CHECKS_MEMORY = !process.env.ASAN_OPTIONS;

/**
 * @typedef {'js' | 'native' | 'session'} Layer
 * @typedef {object} Result
 * @property {string} outcome
 * @property {number} ms
 * @property {number} [mib] The peak above what the process had before the row; Linux only.
 */

/**
 * What is wrong with a result; undefined where nothing is.
 *
 * @param {(typeof import('./matrix.mjs').ROWS)[number]} row
 * @param {Layer} layer
 * @param {Result} result
 */
export function fault(row, layer, { outcome, ms, mib }) {
  const expected = row.expected?.[layer === 'session' ? 1 : 0];
  if (expected === undefined) return 'no outcome is expected';
  const isExpected = typeof expected === 'string' ? outcome === expected : expected.test(outcome);
  if (!isExpected) return `is not ${expected}`;
  if (ms > (row.isLong ? LONG_ROW_MS : ROW_MS)) return 'too slow';
  if (CHECKS_MEMORY && mib !== undefined && mib > ROW_MIB) return `more than ${ROW_MIB} MiB`;
  return undefined;
}

/** Whether an outcome of a row is the end by the limit of the opening. @param {(typeof import('./matrix.mjs').ROWS)[number]} row */
const endsByTimeout = ({ expected }) => (expected ?? []).some(outcome => /timed out/i.test(String(outcome)));

/**
 * The results of all rows on a layer.
 *
 * @param {Layer} layer
 * @param {typeof import('./matrix.mjs').ROWS} rows
 * @returns {AsyncGenerator<{ row: (typeof import('./matrix.mjs').ROWS)[number], result: Result }>}
 */
export async function* runRows(layer, rows) {
  const options = forkOptions(layer === 'native' ? 'native' : 'js', ['--expose-gc']);
  const env = layer === 'session' ? process.env : options.env;
  const child = fork(CLIENT, [], { ...options, env, cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  /** @type {import('./peers.mjs').Peer | undefined} */
  let peer;
  const channel = openChannel(child, { strike: () => peer?.strike?.() });
  child.once('exit', (code, signal) => channel.fail(new Error(`the client ended by ${signal ?? code}`)));
  try {
    await channel.ask('prepare', { layer, rootKey: Buffer.from(root.public).toString('hex') });
    let number = 0;
    for (const row of rows) {
      peer = await row.peer();
      const { url, ca, proxy, rootKey } = peer;
      const { lives, endsAtOpen } = row;
      const limit = row.isLong ? LONG_ROW_MS : ROW_MS;
      const asked = channel.ask('run', {
        layer,
        url,
        ca,
        proxy,
        rootKey,
        connectTimeoutMs: endsByTimeout(row) ? SHORT_CONNECT_MS : CONNECT_MS,
        lives,
        endsAtOpen,
        user: 15_550_300_000 + number++
      });
      const late = delay(limit, { outcome: `not over after ${limit / 1000} s`, ms: limit }, { ref: false });
      const result = await Promise.race([asked, late]);
      await peer.close();
      yield { row, result };
    }
  } finally {
    child.removeAllListeners('exit');
    child.kill('SIGKILL');
  }
}
