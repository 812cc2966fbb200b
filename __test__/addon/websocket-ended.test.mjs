// Messages that a program sends after the end of a connection, before its event loop gets the event of the end.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import test from 'node:test';
import { Worker } from 'node:worker_threads';
import { metrics } from 'baileys-native';
import { NativeClient, statusCodeOf } from '../support/socket-log.mjs';

/** A server in its own thread. It opens each WebSocket, ends it as `workerData.how` says, and then sets `ended`. */
const SERVER = `
const { createHash } = require('node:crypto');
const { createServer } = require('node:net');
const { parentPort, workerData } = require('node:worker_threads');
const ended = new Int32Array(workerData.ended);
const server = createServer(socket => {
  socket.on('error', () => {});
  socket.once('data', request => {
    const key = /sec-websocket-key: (.*)\\r\\n/i.exec(request)[1] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
    const accept = createHash('sha1').update(key).digest('base64');
    const head = 'HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\n';
    socket.write(head + 'Sec-WebSocket-Accept: ' + accept + '\\r\\n\\r\\n', () => {
      if (workerData.how === 'reset') socket.resetAndDestroy();
      else if (workerData.how === 'end') socket.end();
      else socket.write(Buffer.of(0x82, 127, 0, 0, 0, 0, 64, 0, 0, 0)); // a message of 1 GiB
      Atomics.store(ended, 0, 1);
      Atomics.notify(ended, 0);
    });
  });
}).listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
`;

/** The time for which JavaScript sends while it is blocked, after the end of the connection, in milliseconds. */
const BLOCKED_MS = 500;
/** The time between two messages, in milliseconds. */
const EVERY_MS = 10;
/** The longest wait for the server, in milliseconds. */
const SERVER_MS = 20_000;
const wait = new Int32Array(new SharedArrayBuffer(4));

for (const [how, ...events] of [
  ['reset', 1006],
  ['end', 1006],
  ['a message that is too long', 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', 1006]
]) {
  test(
    `messages are sent after the end of the connection, before the program knows it: ${how}`,
    { timeout: 60_000 },
    async t => {
      const ended = new Int32Array(new SharedArrayBuffer(4));
      const server = new Worker(SERVER, { eval: true, workerData: { how, ended: ended.buffer } });
      t.after(() => server.terminate());
      const [port] = await once(server, 'message');
      const client = new NativeClient(new URL(`ws://127.0.0.1:${port}/`), { connectTimeoutMs: 30_000 });
      const order = [];
      let called = 0;
      let sent = 0;
      const all = new Promise(resolve => {
        client.on('open', () => {
          Atomics.wait(ended, 0, 0, SERVER_MS);
          // At least until the addon knows of the end.
          const until = performance.now() + SERVER_MS;
          let isEnded = false;
          for (let waited = 0; waited < BLOCKED_MS || !isEnded; waited += EVERY_MS) {
            isEnded = metrics().sockets.open === 0 || performance.now() > until;
            Atomics.wait(wait, 0, 0, EVERY_MS);
            sent++;
            client.send('x', error => {
              if (error) order.push(error);
              if (++called === sent) resolve(undefined);
            });
          }
        });
      });
      client.on('error', ({ code }) => order.push(code));
      client.on('close', number => order.push(number));
      client.connect();
      await all;
      const errors = order.filter(each => each instanceof Error);
      assert.ok(errors.length > 0);
      // Baileys uses the status code of the first error. With 500 (bad session) programs delete their credentials.
      assert.deepEqual(order, [...events, ...errors]);
      for (const error of errors) assert.equal(statusCodeOf(error), 408, error.message);
    }
  );
}
