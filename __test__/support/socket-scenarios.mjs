/** Declares the tests that compare both clients of each release line. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { record } from './record.mjs';
import { SOCKET_DIFFERENCES } from './socket-differences.mjs';
import { upgradeResponse, closeEvent, runBothClients, LINES, summaryOf, rawServer } from './socket-log.mjs';

export { closeEvent };

/** Resolves when a client is closed. */
export const whenClosed = client => (client.isClosed ? undefined : closeEvent(client));

/** Closes a client and waits for its `close` event. close() of Baileys 6 does not wait for it. */
export async function closeAndWait(client) {
  const gone = closeEvent(client);
  await client.close();
  await gone;
}

/**
 * Compares the results of both clients of a release line, and records the comparison for docs/compatibility.md.
 *
 * @param {string} behaviour
 * @param {object} line
 * @param {{ expected: unknown, actual: unknown, outcome: string, differs?: ExpectedDifference, section?: string }} result
 */
export function assertSameAndRecord(behaviour, line, { expected, actual, outcome, differs, section = 'socket' }) {
  const known = differs && (differs.lines ?? [line.name]).includes(line.name) ? differs : undefined;
  if (known) {
    const isListed = SOCKET_DIFFERENCES.some(({ id }) => id === known.id);
    assert.ok(isListed, `${known.id} is not a known difference`);
  }
  let native = known ? `as registered: ${known.id}` : 'same';
  try {
    if (known) assert.notDeepEqual(actual, expected, `the known difference ${known.id} does not occur`);
    assert.deepEqual(actual, known ? known.ours(expected) : expected);
  } catch (error) {
    native = 'DIFFERS';
    throw error;
  } finally {
    record({ section, behaviour, line: line.name, javascript: outcome, native, sinceNode: known?.sinceNode });
  }
}

/**
 * @typedef {object} ExpectedDifference
 * @property {string} id the id of a known difference
 * @property {string[]} [lines] the release lines that differ; default: all
 * @property {number} [sinceNode] the difference exists on this and later versions of Node
 * @property {(log: unknown) => unknown} ours returns our expected result for the result of Baileys
 */

/**
 * Declares a test: for every release line both logs are equal. `check` may check them further. `isInTime` as for
 * `runBothClients`.
 *
 * @param {string} name
 * @param {(context: object) => Promise<object>} start
 * @param {(context: object) => Promise<void>} script
 * @param {{ config?: object, check?: (log: unknown[]) => void, differs?: ExpectedDifference,
 *   isInTime?: (log: unknown[]) => boolean }} [options]
 */
export function testSameLog(name, start, script, { config, check, differs, isInTime } = {}) {
  test(name, { timeout: 180_000, concurrency: true }, t =>
    Promise.all(
      LINES.map(line =>
        t.test(`line ${line.name}: ${name}`, async () => {
          const { expected, actual } = await runBothClients(line, start, script, config, isInTime);
          assert.ok(expected.length > 0, 'the script logged something');
          assertSameAndRecord(name, line, { expected, actual, outcome: summaryOf(expected), differs });
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
 * @param {(Client: Function, line: object, t: import('node:test').TestContext) => Promise<unknown> | unknown} probe
 * @param {{ outcome?: (result: unknown) => string, check?: (result: unknown) => void, differs?: ExpectedDifference,
 *   section?: string }} [options] `outcome` returns a short text of the result of Baileys
 */
export function testSameResult(name, probe, { outcome = summaryOf, check, differs, section } = {}) {
  test(name, { timeout: 180_000 }, async t => {
    for (const line of LINES) {
      await t.test(`line ${line.name}: ${name}`, async t => {
        const expected = await probe(line.Baileys, line, t);
        const actual = await probe(line.Native, line, t);
        assertSameAndRecord(name, line, { expected, actual, outcome: outcome(expected), differs, section });
        check?.(actual);
      });
    }
  });
}

/** Starts a raw server that opens the WebSocket and then sends `bytes`. */
export const serverSending =
  (bytes, after = () => {}) =>
  () =>
    rawServer((socket, key) => {
      socket.write(Buffer.concat([Buffer.from(upgradeResponse(key)), Buffer.from(bytes)]));
      after(socket);
    });

/** A script that connects and waits for the end of the connection. */
export const connectUntilClosed = async ({ client }) => {
  client.connect();
  await closeEvent(client);
};

/** Starts a raw server that answers every request with `text`. */
export const serverAnswering = text => () => rawServer(socket => socket.write(text));
