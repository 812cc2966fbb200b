// Runs rows of hostile peers on one layer. The peers are in this process, the client in a child process.

import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startChild } from '../shared/child.mjs';
import { root } from './rows-noise.mjs';

const CLIENT = fileURLToPath(new URL('client.mjs', import.meta.url));

/**
 * The time limit of a row, in milliseconds. Baileys waits for the closing handshake, which may take 30 s, and a machine
 * can be busy.
 */
export const ROW_MS = 90_000;
/** The same for rows that take 120 s, the limit for opening a connection. */
export const LONG_ROW_MS = 210_000;
/** The memory limit of a row, in MiB: the limit of docs/security.md, and the buffers in JavaScript. */
export const ROW_MIB = 250;
/**
 * The connect timeouts in milliseconds, for rows that end by this timeout. The longer one is for a busy machine, on which
 * the peer was slower than the short one.
 */
const TIMEOUTS_MS = [2_000, 20_000];
/** The same for all other rows. They must not reach it, even on a busy machine. */
const CONNECT_MS = 30_000;
/** Memory is not checked with AddressSanitizer, because it keeps freed memory. */
const CHECKS_MEMORY = !process.env.ASAN_OPTIONS;

/**
 * @typedef {import('../shared/child.mjs').Layer} Layer
 * @typedef {object} RowResult
 * @property {string} outcome
 * @property {number} ms
 * @property {number} [mib] The peak memory, without the memory that the process had before the row. Linux only.
 */

/**
 * Describes why a result is wrong. Undefined if it is right.
 *
 * @param {(typeof import('./matrix.mjs').ROWS)[number]} row
 * @param {Layer} layer
 * @param {RowResult} result
 */
export function faultOf(row, layer, { outcome, ms, mib }) {
  const expected = row.expected?.[layer === 'session' ? 1 : 0];
  if (expected === undefined) return 'no outcome is expected';
  const isExpected = typeof expected === 'string' ? outcome === expected : expected.test(outcome);
  if (!isExpected) return `expected: ${expected}`;
  if (ms > (row.isLong ? LONG_ROW_MS : ROW_MS)) return 'too slow';
  if (CHECKS_MEMORY && mib !== undefined && mib > ROW_MIB) return `more than ${ROW_MIB} MiB`;
  return undefined;
}

/** Whether a row ends by the connect timeout. @param {(typeof import('./matrix.mjs').ROWS)[number]} row */
const endsByTimeout = ({ expected }) => (expected ?? []).some(outcome => /timed out/i.test(String(outcome)));

/**
 * Runs rows on a layer, one after another.
 *
 * @param {Layer} layer
 * @param {typeof import('./matrix.mjs').ROWS} rows
 * @returns {AsyncGenerator<{ row: (typeof import('./matrix.mjs').ROWS)[number], result: RowResult }>}
 */
export async function* runRows(layer, rows) {
  /** @type {import('./peers.mjs').HostilePeer | undefined} */
  let peer;
  const child = startChild(CLIENT, {
    layer,
    name: `the client (${layer})`,
    flags: ['--expose-gc'],
    services: { afterLogin: () => peer?.afterLogin?.() }
  });
  try {
    await child.ask('prepare', { layer, rootKey: Buffer.from(root.public).toString('hex') });
    let number = 0;
    for (const row of rows) {
      /** @type {RowResult | undefined} */
      let result;
      for (const connectTimeoutMs of endsByTimeout(row) ? TIMEOUTS_MS : [CONNECT_MS]) {
        if (result !== undefined && faultOf(row, layer, result) === undefined) break;
        peer = await row.peer();
        const { url, ca, proxy, rootKey } = peer;
        const { staysOpen, endsAtLogin } = row;
        const limit = row.isLong ? LONG_ROW_MS : ROW_MS;
        const outcome = child.ask('run', {
          layer,
          url,
          ca,
          proxy,
          rootKey,
          connectTimeoutMs,
          staysOpen,
          endsAtLogin,
          user: 15_550_300_000 + number++
        });
        const late = delay(limit, { outcome: `not over after ${limit / 1000} s`, ms: limit }, { ref: false });
        result = await Promise.race([outcome, late]);
        await peer.close();
      }
      yield { row, result: /** @type {RowResult} */ (result) };
    }
  } finally {
    await child.stop();
  }
}
