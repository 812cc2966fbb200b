/** Listeners that throw, reject, or are slow, and many sockets at once. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { closeAfter } from '../support/resources.mjs';
import { NativeClient, nextEvent, logEvents, summaryOf, rawServer, state, wsServer } from '../support/socket-log.mjs';
import {
  serverAnswering,
  whenClosed,
  testSameLog,
  testSameResult,
  connectUntilClosed
} from '../support/socket-scenarios.mjs';
import { until } from '../support/until.mjs';

const { lastFrameError } = createRequire(import.meta.url)('../../js/baileys/frame-error.cjs');

// --- listeners

test(
  'an exception in a listener is an uncaught exception, and later events are emitted',
  { timeout: 60_000 },
  async t => {
    const server = closeAfter(
      t,
      await wsServer(s => {
        for (let i = 0; i < 5; i++) s.send(`${i}`);
      })
    );
    const client = closeAfter(t, new NativeClient(`ws://127.0.0.1:${server.port}/`, {}));
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
      await until(() => seen.length >= 5 && caught.length >= 3, { every: 1 });
    } finally {
      process.removeListener('uncaughtException', handler);
      for (const other of others) process.on('uncaughtException', other);
    }
    assert.deepEqual(seen, ['0', '1', '2', '3', '4']);
    assert.deepEqual(caught, ['at 0', 'at 2', 'at 4']);
  }
);

test(
  'a rejected message listener ends the connection for an invalid frame, otherwise it is an unhandled rejection',
  { timeout: 60_000 },
  async t => {
    const server = closeAfter(t, await wsServer(s => s.send('x')));
    const fault = Object.assign(new Error('cannot decrypt'), { [Symbol.for('baileys-native.frame-error')]: true });
    const client = closeAfter(t, new NativeClient(`ws://127.0.0.1:${server.port}/`, {}));
    client.on('message', async () => {
      // decodeFrame does the same.
      lastFrameError.error = fault;
      throw fault;
    });
    client.connect();
    const [error] = await new Promise(resolve => client.once('error', (...args) => resolve(args)));
    assert.equal(error, fault);

    const other = closeAfter(t, new NativeClient(`ws://127.0.0.1:${server.port}/`, {}));
    const others = process.listeners('unhandledRejection');
    process.removeAllListeners('unhandledRejection');
    t.after(() => {
      for (const listener of others) process.on('unhandledRejection', listener);
    });
    const rejected = new Promise(resolve => process.once('unhandledRejection', resolve));
    other.on('message', async () => {
      throw new Error('another');
    });
    other.connect();
    assert.equal((await rejected).message, 'another');
  }
);

const twoMessages = () =>
  wsServer(s => {
    s.send('a');
    s.send('b');
    s.close();
  });

testSameLog('listeners that are added and removed during an event', twoMessages, async ({ client, note }) => {
  const late = () => note('late');
  const removed = () => note('removed');
  client.once('message', () => {
    client.on('message', late);
    client.off('message', removed);
  });
  client.on('message', removed);
  client.prependListener('message', () => note('first', client.listenerCount('message')));
  client.once('open', () => client.removeAllListeners('open'));
  await connectUntilClosed({ client });
  note('names', client.eventNames());
});

testSameLog('a listener that removes all listeners', twoMessages, async ({ client, note }) => {
  client.once('message', () => {
    client.removeAllListeners();
    client.on('close', (...args) => note('closed', ...args));
  });
  client.on('message', () => note('still called'));
  client.connect();
  await until(() => client.isClosed, { every: 1 });
  await turn();
});

testSameLog('1,000 listeners', twoMessages, async ({ client, note }) => {
  let calls = 0;
  for (let i = 0; i < 1000; i++) client.on('message', () => calls++);
  note('max listeners', client.getMaxListeners(), client.listenerCount('message'));
  await connectUntilClosed({ client });
  note('calls', calls);
});

testSameLog('events without listeners', twoMessages, async ({ client, note }) => {
  client.removeAllListeners();
  client.connect();
  await until(() => client.isClosed, { every: 1 });
  note('emitted', client.emit('other'), client.emit('message', 1), client.listenerCount('close'));
});

// --- exceptions of listeners

/** For each event: a server that causes it. */
const CAUSES = {
  upgrade: () => wsServer(() => {}),
  open: () => wsServer(() => {}),
  message: () => wsServer(s => s.send('x')),
  ping: () => wsServer(s => s.ping('x')),
  pong: () => wsServer(s => s.pong('x')),
  close: () => wsServer(s => s.close(1000, 'done')),
  error: () => rawServer(s => s.resetAndDestroy()),
  'unexpected-response': serverAnswering('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n')
};

/** The number of TCP connections and servers of this process that Node knows. */
const openSockets = () => (process.getActiveResourcesInfo?.() ?? []).filter(name => /^TCP/.test(name)).length;

for (const [name, start] of Object.entries(CAUSES)) {
  testSameResult(
    `an exception in a listener of ${name} is an uncaught exception`,
    async Client => {
      const before = openSockets();
      const server = await start();
      const client = new Client(`ws://127.0.0.1:${server.port}/`, { connectTimeoutMs: 10_000 });
      const log = logEvents(client);
      // node:test has its own handler, which would fail the test.
      const others = process.listeners('uncaughtException');
      process.removeAllListeners('uncaughtException');
      // It is active until the end: later effects of an exception inside `ws` are not compared.
      let handler;
      const caught = new Promise(resolve => {
        handler = (error, origin) => resolve([error.message, origin, state(client)]);
        process.on('uncaughtException', handler);
      });
      try {
        client.once(name, () => {
          throw new Error('deliberate');
        });
        client.connect();
        log.push(['uncaught', ...(await caught)]);
        return [...log];
      } finally {
        client.removeAllListeners();
        client.on('error', () => {});
        server.close();
        // After an exception `ws` emits no event that the test could wait for. The end of its connection may cause one
        // more exception.
        await until(() => openSockets() <= before, { every: 1 });
        for (let i = 0; i < 20; i++) await turn();
        process.off('uncaughtException', handler);
        for (const other of others) process.on('uncaughtException', other);
      }
    },
    { outcome: log => `${summaryOf(log.slice(0, -1))}; uncaughtException` }
  );
}

const run = promisify(execFile);
const throwing = fileURLToPath(new URL('../support/throwing-client.mjs', import.meta.url));

testSameResult(
  'an exception in a listener ends the process',
  async (Client, line, t) => {
    const server = closeAfter(t, await wsServer(s => s.send('x')));
    const kind = Client === line.Native ? 'native' : 'baileys';
    const { code, stdout, stderr } = await run(
      process.execPath,
      [throwing, line.name, kind, 'message', `ws://127.0.0.1:${server.port}/`],
      { timeout: 60_000 }
    ).catch(error => error);
    return { code, stdout, error: /^Error: .*$/m.exec(stderr)?.[0] };
  },
  {
    outcome: ({ code, error }) => `exit code ${code}, ${error}`,
    check: result => assert.deepEqual(result, { code: 1, stdout: 'message\n', error: 'Error: deliberate' })
  }
);

// --- load

test('200 connections each get their answers', { timeout: 60_000 }, async t => {
  const server = closeAfter(t, await wsServer(s => s.on('message', m => s.send(m))));
  const clients = Array.from({ length: 200 }, () => new NativeClient(`ws://127.0.0.1:${server.port}/`, {}));
  await Promise.all(
    clients.map(async (client, i) => {
      client.connect();
      await nextEvent(client, 'open');
      const answer = nextEvent(client, 'message');
      client.send(`number ${i}`);
      assert.equal(String((await answer)[0]), `number ${i}`);
      await client.close();
    })
  );
});

test(
  'a slow reader applies back-pressure to the server, and no message is lost or reordered',
  { timeout: 60_000 },
  async t => {
    const total = 40_000;
    const payload = Buffer.alloc(1000, 1);
    const server = closeAfter(
      t,
      await wsServer(async s => {
        for (let i = 0; i < total; i++) {
          const message = Buffer.from(payload);
          message.writeUInt32BE(i);
          await new Promise(resolve => s.send(message, resolve));
        }
      })
    );
    const client = closeAfter(t, new NativeClient(`ws://127.0.0.1:${server.port}/`, {}));
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
  }
);

test(
  'callbacks of send() wait for the network if much is queued, and get an error if the connection is lost',
  { timeout: 60_000 },
  async t => {
    let peer;
    const server = closeAfter(
      t,
      await wsServer(s => {
        peer = s;
        s.pause();
      })
    );
    const client = closeAfter(t, new NativeClient(`ws://127.0.0.1:${server.port}/`, {}));
    client.on('error', () => {});
    client.connect();
    await nextEvent(client, 'open');
    const results = [];
    const chunk = Buffer.alloc(1 << 20);
    for (let i = 0; i < 32; i++) client.send(chunk, error => results.push(error?.code ?? 'ok'));
    await turn();
    await turn();
    assert.ok(results.length < 32, `${results.length} of 32 MiB accepted at once`);
    peer.terminate();
    await whenClosed(client);
    await turn();
    assert.equal(results.length, 32);
    assert.equal(results.at(-1), 'ERR_STREAM_DESTROYED');
    assert.deepEqual(
      results,
      [...results].sort((a, b) => (a !== 'ok') - (b !== 'ok')),
      'in order'
    );
  }
);
