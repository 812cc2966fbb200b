/** Shared functions of the tests of the socket. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { record } from './record.mjs';
import { SOCKET_DIFFERENCES } from './socket-differences.mjs';
import { accept, closeEvent, compare, LINES, outcomeOf, rawServer } from './socket-log.mjs';

export { closeEvent };

/** Waits until a client is closed. */
export const closed = client => (client.isClosed ? undefined : closeEvent(client));

/** Closes a client and waits for its `close` event: in Baileys 6.x, close() does not wait. */
export async function shut(client) {
  const gone = closeEvent(client);
  await client.close();
  await gone;
}

/**
 * Compares the results of both clients of a release line, and records the comparison for docs/compatibility.md.
 *
 * @param {string} behaviour
 * @param {object} line
 * @param {{ expected: unknown, actual: unknown, outcome: string, differs?: Difference, section?: string }} result
 */
export function judge(behaviour, line, { expected, actual, outcome, differs, section = 'socket' }) {
  const known = differs && (differs.lines ?? [line.name]).includes(line.name) ? differs : undefined;
  if (known)
    assert.ok(
      SOCKET_DIFFERENCES.some(({ id }) => id === known.id),
      `${known.id} is registered`
    );
  let native = known ? `as registered: ${known.id}` : 'same';
  try {
    if (known) assert.notDeepEqual(actual, expected, `${known.id} is no difference any more`);
    assert.deepEqual(actual, known ? known.ours(expected) : expected);
  } catch (error) {
    native = 'DIFFERS';
    throw error;
  } finally {
    record({ section, behaviour, line: line.name, javascript: outcome, native });
  }
}

/**
 * @typedef {object} Difference
 * @property {string} id in the registry
 * @property {string[]} [lines] the release lines that differ; default: all
 * @property {(log: unknown) => unknown} ours returns our expected result for the result of Baileys
 */

/**
 * Declares a test: for every release line both logs are equal. `check` may check them further.
 *
 * @param {string} name
 * @param {(context: object) => Promise<object>} start
 * @param {(context: object) => Promise<void>} script
 * @param {{ config?: object, check?: (log: unknown[]) => void, differs?: Difference }} [options]
 */
export function same(name, start, script, { config, check, differs } = {}) {
  test(name, { timeout: 60_000, concurrency: true }, t =>
    Promise.all(
      LINES.map(line =>
        t.test(`line ${line.name}: ${name}`, async () => {
          const { expected, actual } = await compare(line, start, script, config);
          assert.ok(expected.length > 0, 'the script logged something');
          judge(name, line, { expected, actual, outcome: outcomeOf(expected), differs });
          check?.(actual);
        })
      )
    )
  );
}

/**
 * Declares a test: for every release line `probe` has the same result with both clients.
 *
 * @param {string} name
 * @param {(Client: Function, line: object) => Promise<unknown> | unknown} probe
 * @param {{ outcome?: (result: unknown) => string, check?: (result: unknown) => void, differs?: Difference,
 *   section?: string }} [options] `outcome` returns a short text of the result of Baileys
 */
export function sameResult(name, probe, { outcome = outcomeOf, check, differs, section } = {}) {
  test(name, { timeout: 60_000 }, async t => {
    for (const line of LINES) {
      await t.test(`line ${line.name}: ${name}`, async () => {
        const expected = await probe(line.Baileys, line);
        const actual = await probe(line.Native, line);
        judge(name, line, { expected, actual, outcome: outcome(expected), differs, section });
        check?.(actual);
      });
    }
  });
}

/** A raw server that opens the WebSocket and sends `bytes` with the response or directly after it. */
export const opensWith =
  (bytes, after = () => {}) =>
  () =>
    rawServer((socket, key) => {
      socket.write(Buffer.concat([Buffer.from(accept(key)), Buffer.from(bytes)]));
      after(socket);
    });

/** The script of most tests: connects and waits for the end. */
export const untilClosed = async ({ client }) => {
  client.connect();
  await closeEvent(client);
};

/** A raw server that answers every request with `text`. */
export const answers = text => () => rawServer(socket => socket.write(text));
