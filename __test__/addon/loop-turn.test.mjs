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
import { flood, startFloodServer } from '../support/flood-server.mjs';
import { closeAfter, releaseAfter } from '../support/resources.mjs';
import { BaileysClient } from '../support/socket-log.mjs';
import { until } from '../support/until.mjs';

const CHILD = fileURLToPath(new URL('../support/send-then-exit.mjs', import.meta.url));
const options = { timeout: 60_000 };

/** A server that collects the messages and pings of each connection. */
async function listen(t) {
  const server = createServer();
  // A pong to a process that has ended would fail, and the server would not read the remaining messages.
  const sockets = new WebSocketServer({ server, autoPong: false });
  const connections = [];
  sockets.on('connection', socket => {
    const messages = [];
    for (const event of ['message', 'ping']) socket.on(event, data => messages.push(String(data)));
    connections.push({ messages, closed: once(socket, 'close') });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  releaseAfter(t, () => {
    for (const socket of sockets.clients) socket.terminate();
    server.close();
  });
  return { url: `ws://127.0.0.1:${server.address().port}/`, connections, sockets };
}

const COUNT = 50;
const EXPECTED = Array.from({ length: COUNT }, (_, index) => `message ${index}`);

const WAYS = [
  'send, exit',
  'send at exit, exit',
  'send, close',
  'send, close, exit',
  'send, terminate',
  'send, close, terminate',
  'send, block',
  'send, throw'
];

/** With more connections than the loop's thread writes, the I/O thread writes at the end of a usual turn. */
for (const count of [1, 6]) {
  for (const way of WAYS) {
    const title = `all messages of a turn arrive on ${count} connections: ${way}`;
    test(title, options, async t => {
      const { url, connections } = await listen(t);
      const args = [CHILD, url, way, String(COUNT), String(count)];
      const child = spawn(process.execPath, args, { stdio: ['pipe', 'ignore', 'pipe'] });
      t.after(() => child.kill('SIGKILL'));
      const errors = [];
      child.stderr.on('data', data => errors.push(data));
      const exited = once(child, 'exit');
      const hasExited = () => child.exitCode !== null || child.signalCode !== null;
      const haveArrived = () => connections.filter(({ messages }) => messages.length === COUNT).length === count;
      await until(() => hasExited() || haveArrived());
      child.stdin.end();
      const [code] = await exited;
      assert.equal(code, way.endsWith('throw') ? 1 : 0, String(Buffer.concat(errors)));
      assert.equal(connections.length, count);
      for (const { messages, closed } of connections) {
        const [closeCode] = await closed;
        assert.deepEqual(messages, EXPECTED);
        assert.equal(closeCode, way.includes('close') ? 1005 : 1006);
      }
    });
  }
}

test('all messages of a turn arrive when a worker thread ends', options, async t => {
  const { url, connections } = await listen(t);
  const worker = new Worker(CHILD, { argv: [url, 'send, exit', String(COUNT), '6', await startFloodServer(t)] });
  await once(worker, 'exit');
  assert.equal(connections.length, 6);
  for (const { messages, closed } of connections) {
    await closed;
    assert.deepEqual(messages, EXPECTED);
  }
});

/**
 * Each ping, each message at exit, and each message that the I/O thread writes while the turn goes on can be a TCP
 * segment. When a process ends with unread data, the system drops the segments that TCP may not send yet.
 */
const SEGMENTS = 8;

for (const [read, way, count] of [
  ['another connection', 'send, exit', COUNT],
  ['another connection', 'send, close at exit, exit', COUNT],
  ['another connection', 'close, exit', 0],
  ['these connections', 'send, exit', SEGMENTS],
  ['these connections', 'send at exit, exit', SEGMENTS],
  ['these connections', 'send, terminate, exit', SEGMENTS],
  ['these connections', 'ping, exit', SEGMENTS],
  ['these connections', 'ping at exit, exit', SEGMENTS]
]) {
  const title = `${count} messages arrive when the process ends while the I/O thread reads ${read}: ${way}`;
  test(title, options, async t => {
    const { url, connections, sockets } = await listen(t);
    if (read === 'these connections') sockets.on('connection', flood);
    const reader = read === 'these connections' ? url : await startFloodServer(t);
    const ROUNDS = 5;
    for (let round = 0; round < ROUNDS; round++) {
      const child = spawn(process.execPath, [CHILD, url, way, String(count), '6', reader], { stdio: 'ignore' });
      t.after(() => child.kill('SIGKILL'));
      await once(child, 'exit');
    }
    assert.equal(connections.length, ROUNDS * 6);
    for (const { messages, closed } of connections) {
      const [closeCode] = await closed;
      assert.deepEqual(messages, EXPECTED.slice(0, count));
      assert.equal(closeCode, way.includes('close') ? 1005 : 1006);
    }
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

/** A server in another thread, which reads everything while this thread is blocked. */
async function readInThread(t) {
  const program = `
    const { parentPort } = require('node:worker_threads');
    const { WebSocketServer } = require('ws');
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    server.on('listening', () => parentPort.postMessage(server.address().port));
    server.on('connection', socket => socket.on('message', () => {}));`;
  const worker = new Worker(program, { eval: true });
  releaseAfter(t, () => worker.terminate());
  const [port] = await once(worker, 'message');
  return new URL(`ws://127.0.0.1:${port}/`);
}

test(
  'a short message is called back after the long ones before it, which the thread has not seen written',
  options,
  async t => {
    const client = closeAfter(t, new WebSocketClient(await readInThread(t), {}));
    client.connect();
    await once(client, 'open');
    const order = [];
    const long = Buffer.alloc(4 * 1024 * 1024);
    for (const name of ['long 1', 'long 2']) client.send(long, () => order.push(name));
    const end = performance.now() + 40_000;
    while (client.socket.bufferedAmount > 0) assert.ok(performance.now() < end, 'not written');
    for (const name of ['short 1', 'short 2']) client.send('x', () => order.push(name));
    client.send(long, () => order.push('long 3'));
    await until(() => order.length >= 5, { every: 1 });
    assert.deepEqual(order, ['long 1', 'long 2', 'short 1', 'short 2', 'long 3']);
  }
);

test(
  'the callback of a refused message is called after those of the messages before it, also in a long turn',
  options,
  async t => {
    for (const Client of [BaileysClient, WebSocketClient]) {
      const client = closeAfter(t, new Client(await readInThread(t), {}));
      client.connect();
      await once(client, 'open');
      const order = [];
      client.send('first', () => order.push('first'));
      work(3);
      client.send('second', () => order.push('second'));
      const { socket } = client;
      const closing = client.close();
      socket.send('late', error => order.push(error.message));
      await closing;
      await until(() => order.length >= 3, { every: 1 });
      assert.deepEqual(order, ['first', 'second', 'WebSocket is not open: readyState 2 (CLOSING)']);
    }
  }
);
