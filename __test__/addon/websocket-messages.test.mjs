/** The events of both clients for messages and for violations of the protocol. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { setImmediate as turn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { upgradeResponse, nextEvent, rawServer, state, wsServer } from '../support/socket-log.mjs';
import { closeEvent, serverSending, testSameLog, connectUntilClosed } from '../support/socket-scenarios.mjs';
import { until } from '../support/until.mjs';

// --- messages

/** Lengths of messages: for every form of the WebSocket header, and longer than a slab. */
const SIZES = [0, 1, 125, 126, 127, 4096, 8191, 8192, 32768, 65535, 65536, 1 << 20, 16 << 20];

testSameLog(
  'messages of all sizes, in both directions',
  () => wsServer(s => s.on('message', (m, isBinary) => s.send(m, { binary: isBinary }))),
  async ({ client, note }) => {
    client.connect();
    await nextEvent(client, 'open');
    for (const size of SIZES) {
      const data = Buffer.alloc(size, size & 0xff);
      const answered = nextEvent(client, 'message');
      await new Promise((resolve, reject) => client.send(data, error => (error ? reject(error) : resolve())));
      const [received, isBinary] = await answered;
      note('echo', size, isBinary, received.equals(data), Object.getPrototypeOf(received) === Buffer.prototype);
    }
    await client.close();
  }
);

testSameLog(
  'send() with values of each type',
  ({ note }) => wsServer(s => s.on('message', (m, isBinary) => note('server', m, isBinary))),
  async ({ client, note, log }) => {
    client.connect();
    await nextEvent(client, 'open');
    const bytes = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]);
    const values = [
      'text',
      'ünï ☃ 😀',
      '',
      Buffer.from('buffer'),
      bytes,
      bytes.subarray(2, 5),
      new Uint16Array(bytes.buffer, 2, 2),
      new DataView(bytes.buffer, 1, 3),
      bytes.buffer,
      42,
      0,
      null,
      undefined,
      [1, 2, 3],
      Buffer.alloc(0)
    ];
    for (const value of values) note('returned', client.send(value));
    assert.throws(() => client.send({}), TypeError);
    const count = () => log.filter(([what]) => what === 'server').length;
    await until(() => count() >= values.length, { every: 1 });
    await client.close();
  }
);

testSameLog(
  'callbacks of send() are called asynchronously, in order, with null',
  () => wsServer(() => {}),
  async ({ client, note }) => {
    client.connect();
    await nextEvent(client, 'open');
    const calls = [1, 2, 3].map(
      n => new Promise(resolve => client.send('x', (...args) => resolve(note(`callback ${n}`, ...args))))
    );
    note('not yet called');
    await Promise.all(calls);
    await client.close();
  }
);

/** A server in another thread, which answers while this thread is busy. */
const ANSWERING = `
  const { parentPort, workerData } = require('node:worker_threads');
  const { WebSocketServer } = require(workerData);
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  server.on('connection', s => {
    s.on('message', () => (s.send('answer'), s.close()));
    s.send('question');
  });
  server.on('listening', () => parentPort.postMessage(server.address().port));
`;

testSameLog(
  'a callback of send() is called before the answer arrives, also on a busy thread',
  async () => {
    const worker = new Worker(ANSWERING, { eval: true, workerData: createRequire(import.meta.url).resolve('ws') });
    const [port] = await once(worker, 'message');
    return { port, close: () => void worker.terminate() };
  },
  async ({ client, note }) => {
    client.once('message', async () => {
      const called = new Promise(resolve => client.send('x', resolve));
      const until = performance.now() + 100;
      while (performance.now() < until);
      await called;
      note('called back', state(client));
    });
    await connectUntilClosed({ client });
  }
);

testSameLog(
  'send() in every state',
  () => wsServer(() => {}),
  async ({ client, note }) => {
    const send = what => {
      try {
        note(
          what,
          client.send('x', (...args) => note(`callback ${what}`, ...args))
        );
      } catch (error) {
        note(what, error);
      }
    };
    send('before connect');
    client.connect();
    send('connecting');
    await nextEvent(client, 'open');
    send('while open');
    note('open, no callback', client.send('x'));
    await turn();
    const { socket } = client;
    const gone = closeEvent(client);
    const closing = client.close();
    send('closing');
    note('closing, no callback', client.send('x'));
    socket.send('x', error => note('callback closing', error));
    await gone;
    socket.send('x', error => note('callback closed', error));
    note('no callback', socket.send('x'));
    await closing;
    await turn();
    send('after close');
    note('after close, no callback', client.send('x'));
  }
);

testSameLog(
  'text, fragments, and control frames between them',
  serverSending(
    [
      0x81, 2, 0x68, 0x69, 0x01, 1, 0x61, 0x89, 1, 0x70, 0x00, 1, 0x62, 0x8a, 0, 0x80, 1, 0x63, 0x02, 0, 0x80, 0, 0x82,
      0, 0x88, 2, 3, 0xe8
    ],
    s => s.once('data', () => s.end())
  ),
  connectUntilClosed
);

testSameLog(
  'messages directly after the upgrade response, then the end of the connection',
  serverSending([0x82, 1, 1, 0x82, 1, 2, 0x82, 5, 3], s => s.end()),
  connectUntilClosed
);
testSameLog(
  'the server resets an open connection',
  serverSending([0x82, 1, 1], s => setImmediate(() => s.resetAndDestroy())),
  async ({ client, log }) => {
    client.connect();
    await closeEvent(client);
    // The message or the reset may be noticed first.
    log.splice(0, log.length, ...log.filter(([what]) => what !== 'message'));
  }
);

testSameLog(
  'a message that arrives byte by byte',
  () =>
    rawServer(async (socket, key) => {
      socket.setNoDelay();
      for (const byte of Buffer.concat([
        Buffer.from(upgradeResponse(key)),
        Buffer.from([0x82, 126, 0, 130]),
        Buffer.alloc(130, 7),
        Buffer.from([0x88, 0])
      ])) {
        socket.write(Buffer.from([byte]));
        await turn();
      }
      socket.once('data', () => socket.end());
    }),
  connectUntilClosed
);

testSameLog(
  'each ping is answered',
  ({ note }) =>
    wsServer(s => {
      s.on('pong', data => note('server pong', data));
      for (const data of ['', 'a', 'b', 'x'.repeat(125)]) s.ping(data);
    }),
  async ({ client, log }) => {
    client.connect();
    await nextEvent(client, 'open');
    await until(() => log.filter(([what]) => what === 'server pong').length >= 4, { every: 1 });
    await client.close();
    // The entries of the server and of the client may be in any order.
    log.sort(([a], [b]) => (a === 'server pong') - (b === 'server pong'));
  }
);

// --- violations

const frames = {
  'RSV1 set': [0xc2, 0],
  'RSV2 set': [0xa2, 0],
  'RSV3 set': [0x92, 0],
  'an unknown data opcode': [0x83, 0],
  'an unknown control opcode': [0x8b, 0],
  'a continuation frame without a first frame': [0x80, 0],
  'a text frame between fragments': [0x02, 1, 1, 0x81, 0],
  'a fragmented ping': [0x09, 0],
  'a ping with more than 125 bytes': [0x89, 126, 0, 126],
  'a close frame of one byte': [0x88, 1, 3],
  'a masked frame': [0x82, 0x81, 1, 2, 3, 4, 5],
  'text that is not UTF-8': [0x81, 2, 0xc3, 0x28],
  'a reserved close code': [0x88, 2, 3, 0xed],
  'a close reason that is not UTF-8': [0x88, 3, 3, 0xe8, 0xff],
  'a message longer than 100 MiB': [0x82, 127, 0, 0, 0, 0, 0x06, 0x40, 0, 1],
  'a length beyond 2^53': [0x82, 127, 0, 0x20, 0, 0, 0, 0, 0, 0],
  'an invalid frame after a message': [0x82, 1, 1, 0xc2, 0, 0x82, 1, 1]
};
for (const [name, bytes] of Object.entries(frames)) {
  const start = ({ note }) =>
    rawServer((socket, key) => {
      socket.write(Buffer.concat([Buffer.from(upgradeResponse(key)), Buffer.from(bytes)]));
      socket.once('data', data => {
        // Our close frame, unmasked.
        const [, , a, b, c, d, ...payload] = data;
        note(
          'server got',
          data[0],
          payload.map((byte, i) => byte ^ [a, b, c, d][i % 4])
        );
        socket.end();
      });
    });
  testSameLog(
    name,
    start,
    async ({ client, log }) => {
      client.connect();
      await closeEvent(client);
      log.sort(([a], [b]) => (a === 'server got') - (b === 'server got'));
    },
    { check: log => assert.ok(log.some(([what]) => what === 'error')) }
  );
}
