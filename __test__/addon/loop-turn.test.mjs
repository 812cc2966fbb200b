// Messages that are sent in one turn of the event loop arrive together and in order, however the turn ends.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { WebSocketServer } from 'ws';
import { WebSocketClient, metrics } from '../../js/index.mjs';
import { closeAfter, releaseAfter } from '../support/resources.mjs';
import { until } from '../support/until.mjs';

const CHILD = fileURLToPath(new URL('../support/send-then-exit.mjs', import.meta.url));
const options = { timeout: 60_000 };

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
  releaseAfter(t, () => {
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
    const child = spawn(process.execPath, [CHILD, url, way, String(COUNT)], { stdio: ['pipe', 'ignore', 'pipe'] });
    t.after(() => child.kill('SIGKILL'));
    const errors = [];
    child.stderr.on('data', data => errors.push(data));
    const exited = once(child, 'exit');
    const hasExited = () => child.exitCode !== null || child.signalCode !== null;
    await until(() => hasExited() || connections[0]?.messages.length === COUNT);
    child.stdin.end();
    const [code] = await exited;
    assert.equal(code, way === 'throw' ? 1 : 0, String(Buffer.concat(errors)));
    assert.equal(connections.length, 1);
    await connections[0].closed;
    assert.deepEqual(connections[0].messages, EXPECTED);
  });
}

/** Keeps the thread busy for this long. */
function work(ms) {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

test('a chain of slow sends does not block the event loop, if each callback starts the next send', options, async t => {
  const { url, connections } = await listen(t);
  const client = closeAfter(t, new WebSocketClient(new URL(url), {}));
  client.connect();
  await once(client, 'open');
  let turns = 0;
  const count = () => {
    turns++;
    immediate = setImmediate(count);
  };
  let immediate = setImmediate(count);
  t.after(() => clearImmediate(immediate));
  const order = [];
  for (let index = 0; index < 10; index++) {
    work(3);
    await new Promise((resolve, reject) => {
      client.send(`message ${index}`, error => {
        order.push(index);
        if (error) reject(error);
        else resolve();
      });
    });
  }
  // The callback of the first message of a turn runs in that turn. After the second message the loop runs.
  assert.ok(turns >= 4, `${turns} turns`);
  assert.deepEqual(
    order,
    [...order].sort((a, b) => a - b)
  );
  await client.close();
  await connections[0].closed;
  assert.deepEqual(connections[0].messages, EXPECTED.slice(0, 10));
});

/** A server in another thread, which answers while this thread is blocked. `answered[0]` is then 1. */
async function listenInThread(t, answered) {
  const program = `
    const { parentPort, workerData: answered } = require('node:worker_threads');
    const { WebSocketServer } = require('ws');
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    server.on('listening', () => parentPort.postMessage(server.address().port));
    server.on('connection', socket => {
      socket.send('start');
      socket.on('message', data => {
        if (String(data) !== 'question') return;
        socket.send('answer');
        Atomics.store(answered, 0, 1);
        Atomics.notify(answered, 0);
      });
    });`;
  const worker = new Worker(program, { eval: true, workerData: answered });
  releaseAfter(t, () => worker.terminate());
  const [port] = await once(worker, 'message');
  return new URL(`ws://127.0.0.1:${port}/`);
}

for (const sender of ['listener', 'timer']) {
  test(`an answer is delivered after the callback of its question, which a ${sender} has sent`, options, async t => {
    const answered = new Int32Array(new SharedArrayBuffer(4));
    const client = closeAfter(t, new WebSocketClient(await listenInThread(t, answered), {}));
    const order = [];
    /** Sends a question when the turn is already long: the callback waits for its end. Blocks until the answer is there. */
    const ask = () => {
      const { messagesIn } = metrics().sockets;
      client.send('a message');
      work(3);
      client.send('question', () => order.push('callback'));
      assert.notEqual(Atomics.wait(answered, 0, 0, 40_000), 'timed-out');
      const end = performance.now() + 40_000;
      while (metrics().sockets.messagesIn === messagesIn) assert.ok(performance.now() < end, 'no answer');
      // The addon counts a message shortly before it wakes this thread.
      work(20);
    };
    client.on('message', data => {
      order.push(String(data));
      // After a timer the loop polls for events, and only then ends its turn.
      if (order.length > 1) return;
      if (sender === 'listener') ask();
      else setTimeout(ask, 1);
    });
    client.connect();
    await until(() => order.length >= 3, { every: 1 });
    assert.deepEqual(order, ['start', 'callback', 'answer']);
  });
}
