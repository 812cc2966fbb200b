// Code that awaits the callback of send() continues before the answer is delivered, also if the thread was blocked.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { closeAfter, releaseAfter } from '../support/resources.mjs';
import { BaileysClient } from '../support/socket-log.mjs';

const { WebSocketClient } = createRequire(import.meta.url)('../../js/index.cjs');

/** A server in another thread, which answers while this thread is blocked. */
const SERVER = `
  const { WebSocketServer } = require('ws');
  const { parentPort } = require('node:worker_threads');
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 }, () => parentPort.postMessage(server.address().port));
  server.on('connection', socket => {
    socket.on('message', data => socket.send(data));
    socket.send('go');
  });
`;

/** Blocks the thread. All events of that time are then delivered together. */
const block = ms => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

for (const [name, Client] of Object.entries({ JavaScript: BaileysClient, native: WebSocketClient })) {
  test(`code after send() runs before the answer is delivered, ${name}`, async t => {
    const worker = new Worker(SERVER, { eval: true });
    releaseAfter(t, () => worker.terminate());
    const [port] = await once(worker, 'message');
    const client = closeAfter(t, new Client(new URL(`ws://127.0.0.1:${port}`), {}));
    const log = [];
    const done = new Promise(resolve => {
      client.on('message', async data => {
        log.push(`got ${data}`);
        if (log.length === 8) resolve();
        if (log.length > 1) return;
        for (const text of ['a', 'b', 'c']) {
          const sent = new Promise(resolve => client.send(text, resolve));
          block(100);
          await sent;
          // Simulates callers that await this in turn.
          for (let i = 0; i < 10; i++) await null;
          log.push(`sent ${text}`);
        }
        log.push('idle');
      });
    });
    client.connect();
    await done;
    assert.deepEqual(
      log.filter(entry => !entry.startsWith('got') || entry === 'got go'),
      ['got go', 'sent a', 'sent b', 'sent c', 'idle']
    );
    for (const text of ['a', 'b', 'c']) assert.ok(log.indexOf(`sent ${text}`) < log.indexOf(`got ${text}`), log.join());
  });
}
