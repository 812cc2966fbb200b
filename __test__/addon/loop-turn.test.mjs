// What is sent in one turn of the event loop arrives in order and together, whatever the loop does afterwards.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { WebSocketServer } from 'ws';

const CHILD = fileURLToPath(new URL('../support/sends-and.mjs', import.meta.url));
const options = { timeout: 30_000 };

/** A server that collects the messages of each connection. */
async function listen(t) {
  const server = createServer();
  const sockets = new WebSocketServer({ server });
  const connections = [];
  sockets.on('connection', socket => {
    const messages = [];
    socket.on('message', data => messages.push(String(data)));
    connections.push({ messages, closed: once(socket, 'close') });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets.clients) socket.terminate();
    server.close();
  });
  return { url: `ws://127.0.0.1:${server.address().port}/`, connections };
}

const COUNT = 50;
const EXPECTED = Array.from({ length: COUNT }, (_, index) => `message ${index}`);

for (const way of ['exit', 'close', 'terminate', 'block', 'throw']) {
  test(`all messages of a turn arrive when the turn ends with: ${way}`, options, async t => {
    const { url, connections } = await listen(t);
    const child = spawn(process.execPath, [CHILD, url, way, String(COUNT)], { stdio: ['ignore', 'ignore', 'pipe'] });
    const errors = [];
    child.stderr.on('data', data => errors.push(data));
    const [code] = await once(child, 'exit');
    assert.equal(code, way === 'throw' ? 1 : 0, String(Buffer.concat(errors)));
    assert.equal(connections.length, 1);
    await connections[0].closed;
    assert.deepEqual(connections[0].messages, EXPECTED);
  });
}
