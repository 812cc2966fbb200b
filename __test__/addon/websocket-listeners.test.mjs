/** Listeners that throw, reject, or are slow, and many sockets at once. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { NativeClient, event, wsServer } from '../support/socket-log.mjs';
import { closed, same, untilClosed } from '../support/socket-scenarios.mjs';

const { failure } = createRequire(import.meta.url)('../../js/errors.cjs');

// --- listeners

test('an exception of a listener is an uncaught exception, and the next events come', { timeout: 10_000 }, async () => {
  const server = await wsServer(s => {
    for (let i = 0; i < 5; i++) s.send(`${i}`);
  });
  const client = new NativeClient(`ws://127.0.0.1:${server.port}/`, {});
  const seen = [];
  const caught = [];
  const handler = error => caught.push(error.message);
  // node:test has its own handler, which would fail the test.
  const others = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', handler);
  try {
    client.on('message', data => {
      seen.push(String(data));
      if (seen.length % 2 === 1) throw new Error(`at ${data}`);
    });
    client.connect();
    while (seen.length < 5 || caught.length < 3) await turn();
  } finally {
    process.removeListener('uncaughtException', handler);
    for (const other of others) process.on('uncaughtException', other);
  }
  assert.deepEqual(seen, ['0', '1', '2', '3', '4']);
  assert.deepEqual(caught, ['at 0', 'at 2', 'at 4']);
  await client.close();
  server.close();
});

test(
  'a rejected message listener ends the connection where the frame is at fault, else it is an unhandled rejection',
  { timeout: 10_000 },
  async () => {
    const server = await wsServer(s => s.send('x'));
    const fault = Object.assign(new Error('cannot decrypt'), { [Symbol.for('baileys-native.frame-error')]: true });
    const client = new NativeClient(`ws://127.0.0.1:${server.port}/`, {});
    client.on('message', async () => {
      // As decodeFrame does.
      failure.latest = fault;
      throw fault;
    });
    client.connect();
    const [error] = await new Promise(resolve => client.once('error', (...args) => resolve(args)));
    assert.equal(error, fault);
    await client.close();

    const other = new NativeClient(`ws://127.0.0.1:${server.port}/`, {});
    const others = process.listeners('unhandledRejection');
    process.removeAllListeners('unhandledRejection');
    const rejected = new Promise(resolve => process.once('unhandledRejection', resolve));
    other.on('message', async () => {
      throw new Error('another');
    });
    other.connect();
    assert.equal((await rejected).message, 'another');
    for (const listener of others) process.on('unhandledRejection', listener);
    await other.close();
    server.close();
  }
);

same(
  'listeners added and removed while emitting',
  () =>
    wsServer(s => {
      s.send('a');
      s.send('b');
      s.close();
    }),
  async ({ client, note }) => {
    const late = () => note('late');
    const removed = () => note('removed');
    client.once('message', () => {
      client.on('message', late);
      client.off('message', removed);
    });
    client.on('message', removed);
    for (let i = 0; i < 1000; i++) client.on('message', () => {});
    note('max listeners', client.getMaxListeners());
    await untilClosed({ client });
  }
);

// --- load

test('200 connections, each answered', { timeout: 60_000 }, async () => {
  const server = await wsServer(s => s.on('message', m => s.send(m)));
  const clients = Array.from({ length: 200 }, () => new NativeClient(`ws://127.0.0.1:${server.port}/`, {}));
  await Promise.all(
    clients.map(async (client, i) => {
      client.connect();
      await event(client, 'open');
      const answer = event(client, 'message');
      client.send(`number ${i}`);
      assert.equal(String((await answer)[0]), `number ${i}`);
      await client.close();
    })
  );
  server.close();
});

test('a slow reader holds the server back, and nothing is lost or out of order', { timeout: 60_000 }, async () => {
  const total = 40_000;
  const payload = Buffer.alloc(1000, 1);
  const server = await wsServer(async s => {
    for (let i = 0; i < total; i++) {
      const message = Buffer.from(payload);
      message.writeUInt32BE(i);
      await new Promise(resolve => s.send(message, resolve));
    }
  });
  const client = new NativeClient(`ws://127.0.0.1:${server.port}/`, {});
  let next = 0;
  const done = new Promise(resolve =>
    client.on('message', data => {
      assert.equal(data.readUInt32BE(), next++);
      if (next % 10_000 === 1) {
        const until = performance.now() + 100;
        while (performance.now() < until);
      }
      if (next === total) resolve();
    })
  );
  client.connect();
  await done;
  await client.close();
  server.close();
});

test(
  'callbacks wait for the network when much is queued, and fail when the connection is lost',
  { timeout: 30_000 },
  async () => {
    let peer;
    const server = await wsServer(s => {
      peer = s;
      s.pause();
    });
    const client = new NativeClient(`ws://127.0.0.1:${server.port}/`, {});
    client.on('error', () => {});
    client.connect();
    await event(client, 'open');
    const results = [];
    const chunk = Buffer.alloc(1 << 20);
    for (let i = 0; i < 32; i++) client.send(chunk, error => results.push(error?.code ?? 'ok'));
    await turn();
    await turn();
    assert.ok(results.length < 32, `${results.length} of 32 MiB accepted at once`);
    peer.terminate();
    await closed(client);
    await turn();
    assert.equal(results.length, 32);
    assert.equal(results.at(-1), 'ERR_STREAM_DESTROYED');
    assert.deepEqual(
      results,
      [...results].sort((a, b) => (a !== 'ok') - (b !== 'ok')),
      'in order'
    );
    server.close();
  }
);
