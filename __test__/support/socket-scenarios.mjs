/** What the tests of the socket have in common. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accept, compare, rawServer } from './socket-log.mjs';

/** Waits until a client is closed, where it is not yet. */
export const closed = client => (client.isClosed ? undefined : closeEvent(client));

/** `once` of node:events rejects on `error`; these scripts wait for `close` whatever comes before. */
export function closeEvent(client) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('no close event')), 8000);
    client.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** Declares a test that both logs are equal; `check` may look at them further. */
export function same(name, start, script, { config, check } = {}) {
  test(name, { timeout: 30_000 }, async () => {
    const { expected, actual } = await compare(start, script, config);
    assert.deepEqual(actual, expected);
    assert.ok(expected.length > 0, 'the script logged something');
    check?.(actual);
  });
}

/** A raw server that opens the WebSocket and sends `bytes` with it or right after. */
export const opensWith =
  (bytes, after = () => {}) =>
  () =>
    rawServer((socket, key) => {
      socket.write(Buffer.concat([Buffer.from(accept(key)), Buffer.from(bytes)]));
      after(socket);
    });

/** The script of most tests: connect and see it through to the end. */
export const untilClosed = async ({ client }) => {
  client.connect();
  await closeEvent(client);
};

/** A raw server that answers every request with `text`. */
export const answers = text => () => rawServer(socket => socket.write(text));
