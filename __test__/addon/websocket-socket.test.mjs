/** `WebSocketClient#socket`, which bots use to end a connection at once. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { closeAfter } from '../support/resources.mjs';
import { LINES, NativeClient, nextEvent, logEvents, rawServer, state, wsServer } from '../support/socket-log.mjs';
import {
  whenClosed,
  closeEvent,
  serverSending,
  testSameLog,
  testSameResult,
  closeAndWait
} from '../support/socket-scenarios.mjs';
import { until } from '../support/until.mjs';

const quiet = () => wsServer(() => {});
/** A server that records the end of each connection. */
const noting = ({ note }) => wsServer(s => s.on('close', code => note('server', code)));
/** Waits until the server has recorded the end, and moves the entry to the end: its order is arbitrary. */
async function serverEnded(log) {
  await until(() => log.some(([what]) => what === 'server'), { every: 1 });
  log.sort(([a], [b]) => (a === 'server') - (b === 'server'));
}

const hello = [0x82, 1, 1];

// --- ping, pong, bufferedAmount

/** A server that records, at the end, the received pings and pongs. */
const notingControl = ({ note }) =>
  wsServer(s => {
    const received = [];
    s.on('ping', data => received.push(`ping ${data}`));
    s.on('pong', data => received.push(`pong ${data}`));
    s.on('close', () => note('server', received));
  });

testSameLog('ping() and pong() with each type of payload', notingControl, async ({ client, note, log }) => {
  client.connect();
  await nextEvent(client, 'open');
  const { socket } = client;
  const payloads = [undefined, '', 'text', 42, 0, Buffer.from('bytes'), new Uint8Array([1, 2]), 'x'.repeat(125)];
  for (const payload of payloads) {
    const answered = once(socket, 'pong');
    const error = await new Promise(resolve => socket.ping(payload, resolve));
    const [data] = await answered;
    note('answered', error ?? 'no error', String(data), socket.bufferedAmount);
  }
  for (const send of ['ping', 'pong']) {
    for (const data of ['x'.repeat(126), Symbol('s'), {}]) {
      try {
        socket[send](data);
        note(`${send}()`, 'sent');
      } catch (error) {
        note(`${send}()`, error.name, error.code);
      }
    }
    for (const args of [[], ['masked', true]]) {
      const answered = send === 'ping' ? once(socket, 'pong') : undefined;
      await new Promise(resolve => socket[send](...args, resolve));
      await answered;
    }
  }
  const last = once(socket, 'pong');
  socket.ping('last');
  await last;
  await closeAndWait(client);
  await serverEnded(log);
});

testSameLog('ping() and pong() in every state', quiet, async ({ client, note }) => {
  client.connect();
  const { socket } = client;
  for (const send of ['ping', 'pong']) {
    try {
      socket[send]('early');
    } catch (error) {
      note(`${send}()`, error.message);
    }
  }
  await nextEvent(client, 'open');
  await closeAndWait(client);
  for (const send of ['ping', 'pong', 'send']) {
    await new Promise(resolve => socket[send]('late', error => resolve(note(`${send}()`, error.message))));
    note('amount', socket.bufferedAmount);
  }
  socket.ping('x'.repeat(126));
  note('amount', socket.bufferedAmount);
});

test('bufferedAmount counts messages that wait for the end of the turn', async t => {
  const server = await quiet();
  t.after(() => server.close());
  const client = new NativeClient(new URL(`ws://127.0.0.1:${server.port}/`), {});
  client.connect();
  await once(client, 'open');
  const { socket } = client;
  /** Whether the messages of this turn are counted. On a busy machine the I/O thread can write them before its end. */
  const areCounted = () => {
    const amounts = Array.from({ length: 3 }, () => {
      client.send('ten bytes.');
      return socket.bufferedAmount;
    });
    // The first message of a turn is not held.
    return String(amounts) === '0,10,20';
  };
  await until(areCounted, { every: 1 });
  await until(() => socket.bufferedAmount === 0, { every: 1 });
  await client.close();
});

testSameLog('the heartbeat of the README of ws does not end a healthy connection', quiet, async ({ client, note }) => {
  client.connect();
  await nextEvent(client, 'open');
  for (let round = 0; round < 3; round++) {
    const alive = once(client, 'pong');
    client.socket.ping();
    await alive;
    note('alive', state(client));
  }
  await closeAndWait(client);
});

// --- terminate

testSameLog('terminate() while open', noting, async ({ client, note, log }) => {
  client.connect();
  await nextEvent(client, 'open');
  const gone = closeEvent(client);
  note('returned', client.socket.terminate(), state(client), client.socket.readyState);
  process.nextTick(() => note('tick', state(client)));
  Promise.resolve().then(() => note('microtask', state(client)));
  setImmediate(() => note('immediate', state(client)));
  await gone;
  note('closed', client.socket === null, state(client), client.socket.readyState);
  await serverEnded(log);
});

testSameLog('terminate() as the watchdogs of programs call it', noting, async ({ client, note, log }) => {
  const sock = { ws: client };
  client.connect();
  await nextEvent(client, 'open');
  const gone = closeEvent(client);
  note('no such method', sock.ws.terminate?.());
  sock.ws?.socket?.terminate?.();
  note('is it open?', client.isOpen);
  await gone;
  await serverEnded(log);
});

testSameLog('terminate() twice, then close()', quiet, async ({ client, note }) => {
  client.connect();
  await nextEvent(client, 'open');
  const { socket } = client;
  const gone = closeEvent(client);
  socket.terminate();
  socket.terminate();
  client.close().then(() => note('resolved', client.socket));
  await gone;
  for (let i = 0; i < 5; i++) await turn();
  note('end', state(client));
});

testSameLog('terminate() right after connect()', quiet, async ({ client, note }) => {
  client.connect();
  const gone = closeEvent(client);
  client.socket.terminate();
  note('after', state(client));
  client.socket.terminate();
  await gone;
});

testSameLog('terminate() before connect(), and after the end', quiet, async ({ client, note }) => {
  note('before', client.socket?.terminate());
  client.connect();
  await nextEvent(client, 'open');
  const { socket } = client;
  await closeAndWait(client);
  note('after', socket.terminate(), socket.readyState);
  for (let i = 0; i < 5; i++) await turn();
});

for (const name of ['upgrade', 'open']) {
  testSameLog(`terminate() in a listener of ${name}`, noting, async ({ client, note, log }) => {
    const gone = closeEvent(client);
    client.once(name, () => {
      client.socket.terminate();
      note('then', state(client));
    });
    client.connect();
    await gone;
    note('closed', state(client));
    await serverEnded(log);
  });
}

testSameLog(
  'terminate() in a listener of message, with more frames after it',
  serverSending([...hello, ...hello, 0x89, 0, ...hello]),
  async ({ client, note }) => {
    client.once('message', () => {
      client.socket.terminate();
      note('then', state(client));
    });
    client.connect();
    await closeEvent(client);
  }
);

testSameLog(
  'terminate() in a listener of message, with a close frame after it',
  serverSending([...hello, 0x88, 2, 3, 232]),
  async ({ client }) => {
    client.once('message', () => client.socket.terminate());
    client.connect();
    await closeEvent(client);
  }
);

testSameLog(
  'terminate() while closing, with a server that never answers',
  serverSending([]),
  async ({ client, note }) => {
    client.connect();
    await nextEvent(client, 'open');
    const { socket } = client;
    const gone = closeEvent(client);
    const closing = client.close();
    note('closing', socket.readyState);
    await turn();
    socket.terminate();
    note('terminated', socket.readyState);
    await gone;
    await closing;
    note('closed', socket.readyState);
  }
);

testSameLog(
  'terminate() in a listener of error while the connection is open',
  serverSending([...hello, 0xc2, 0]),
  async ({ client, note }) => {
    client.once('error', () => {
      note('before', state(client));
      client.socket.terminate();
    });
    client.connect();
    await closeEvent(client);
  }
);

testSameLog(
  'terminate() in a listener of error of a refused connection',
  () => rawServer(s => s.resetAndDestroy()),
  async ({ client, note }) => {
    client.once('error', () => note('returned', client.socket.terminate(), state(client)));
    client.connect();
    await closeEvent(client);
  }
);

testSameLog('a new connection after terminate()', noting, async ({ client, note, log }) => {
  for (let round = 0; round < 2; round++) {
    client.connect();
    await nextEvent(client, 'open');
    const gone = closeEvent(client);
    client.socket.terminate();
    client.connect();
    note('still', state(client));
    await gone;
    client.socket = null;
  }
  await until(() => log.filter(([what]) => what === 'server').length >= 2, { every: 1 });
  log.sort(([a], [b]) => (a === 'server') - (b === 'server'));
});

testSameLog('send() after terminate()', quiet, async ({ client, note }) => {
  client.connect();
  await nextEvent(client, 'open');
  const gone = closeEvent(client);
  const { socket } = client;
  socket.terminate();
  note(
    'sent',
    client.send('x', error => note('refused', error))
  );
  await gone;
  client.send('x', error => note('refused', error));
  await turn();
});

// --- events

testSameLog(
  'listeners on the socket: order, once, off',
  serverSending([...hello, 0x89, 1, 7, 0x8a, 1, 8, 0x88, 5, 3, 232, 97, 98, 99]),
  async ({ client, note }) => {
    client.connect();
    const { socket } = client;
    for (const name of ['upgrade', 'open', 'message', 'ping', 'pong', 'close']) {
      const removed = () => note('never');
      socket.on(name, removed);
      socket.off(name, removed);
      socket.on(name, (...args) => note(`socket ${name}`, ...args, socket.readyState));
      socket.once(name, function () {
        note('once', this === socket);
      });
      socket.prependListener(name, () => note(`ahead of ${name}`));
      note('listeners', name, socket.listenerCount(name));
    }
    await closeEvent(client);
    await turn();
  }
);

testSameLog(
  'an error on the socket, for a listener and for onerror',
  () => rawServer(s => s.resetAndDestroy()),
  async ({ client, note }) => {
    client.connect();
    const { socket } = client;
    socket.on('error', error => note('socket error', error));
    socket.onerror = ({ type, target, error, message }) => note('onerror', type, target === socket, error, message);
    await closeEvent(client);
  }
);

for (const bytes of [[0x81, 2, 104, 105, ...hello, 0x88, 5, 3, 232, 97, 98, 99], hello]) {
  testSameLog(
    `event objects${bytes === hello ? ' without a close frame' : ''}`,
    serverSending(bytes, s => s.end()),
    async ({ client, note }) => {
      client.connect();
      const { socket } = client;
      const say = ({ type, target, data, code, reason, wasClean }) =>
        note('event', type, target === socket, data, code, reason, wasClean);
      for (const type of ['open', 'message', 'close']) {
        socket.addEventListener(type, say);
        socket.addEventListener(type, say);
        socket.addEventListener(type, { handleEvent: each => note('object', each.type) }, { once: true });
        const never = () => note('never');
        socket.addEventListener(type, never);
        socket.removeEventListener(type, never);
      }
      socket.addEventListener('ping', say);
      socket.onopen = () => note('never');
      socket.onopen = () => note('onopen');
      note('attributes', typeof socket.onopen, socket.onmessage, socket.listenerCount('open'));
      await closeEvent(client);
      socket.onopen = null;
      note('listeners', socket.listenerCount('open'));
    }
  );
}

testSameLog(
  'removeAllListeners() on the socket ends the events of the client',
  () => wsServer(s => s.on('message', message => s.send(message))),
  async ({ client, note }) => {
    client.connect();
    await nextEvent(client, 'open');
    const { socket } = client;
    client.send('1');
    await nextEvent(client, 'message');
    socket.removeAllListeners('message');
    client.send('2');
    await once(socket, 'message');
    note('still', socket.listenerCount('close'), socket.listenerCount('message'));
    socket.removeAllListeners();
    const gone = once(socket, 'close');
    socket.terminate();
    note('end', ...(await gone), client.isClosed);
    client.emit('close', 1006, Buffer.alloc(0));
  }
);

testSameLog('emit() on the socket reaches the client', quiet, async ({ client, note }) => {
  client.connect();
  await nextEvent(client, 'open');
  note('a pong', client.socket.emit('pong', Buffer.from([1])));
  note('a message', client.socket.emit('message', Buffer.from([2]), true));
  note('nobody', client.socket.emit('other'));
  await closeAndWait(client);
});

// --- send() and properties

testSameLog(
  'send() on the socket, with options',
  () => wsServer(s => s.on('message', (data, isBinary) => s.send(`${isBinary} ${data}`))),
  async ({ client, note }) => {
    client.connect();
    await nextEvent(client, 'open');
    const { socket } = client;
    for (const args of [['a'], ['b', { binary: true }], [Buffer.from('c')], [Buffer.from('d'), { binary: false }]]) {
      const answer = nextEvent(client, 'message');
      await new Promise(resolve => socket.send(...args, error => resolve(note('sent', error ?? null))));
      await answer;
    }
    await closeAndWait(client);
  }
);

const PROPERTIES = [
  'url',
  'protocol',
  'extensions',
  'binaryType',
  'isPaused',
  'CONNECTING',
  'OPEN',
  'CLOSING',
  'CLOSED'
];

testSameLog(
  'send(), ping() and pong() of detached views',
  () => wsServer(s => s.on('message', data => s.send(data))),
  async ({ client, note }) => {
    client.connect();
    await nextEvent(client, 'open');
    const { socket } = client;
    const views = {
      Buffer: memory => Buffer.from(memory),
      Uint8Array: memory => new Uint8Array(memory),
      'a part of it': memory => new Uint8Array(memory, 2, 2),
      DataView: memory => new DataView(memory),
      Float32Array: memory => new Float32Array(memory),
      ArrayBuffer: memory => memory
    };
    for (const [name, view] of Object.entries(views)) {
      for (const method of ['send', 'ping', 'pong']) {
        const memory = new ArrayBuffer(8);
        const data = view(memory);
        structuredClone(memory, { transfer: [memory] });
        try {
          await new Promise(resolve => socket[method](data, resolve));
          note(`${method}() of ${name}`, 'sent');
        } catch (error) {
          note(`${method}() of ${name}`, error.name, error.message);
        }
      }
    }
    // Only the detached Buffer arrives, as an empty message: `ws` does not check Buffers.
    const last = new Promise(resolve => client.on('message', data => String(data) === 'last' && resolve()));
    client.send('last');
    await last;
    await closeAndWait(client);
  }
);

testSameLog('properties of the socket', quiet, async ({ client, note, port }) => {
  const say = socket =>
    note('properties', ...PROPERTIES.map(name => String(socket[name]).replace(port, 'PORT')), socket.readyState);
  client.connect();
  const { socket } = client;
  say(socket);
  await nextEvent(client, 'open');
  say(socket);
  note('constants', socket.constructor.OPEN, socket.getMaxListeners());
  socket.binaryType = 'something';
  note('type', socket.binaryType);
  await closeAndWait(client);
  say(socket);
});

test('maxWebSocketListeners limits the listeners of the socket before Node warns', async t => {
  const server = closeAfter(t, await quiet());
  const { Native } = LINES[0];
  for (const [config, limit] of [
    [{}, 0],
    [{ maxWebSocketListeners: 20 }, 20]
  ]) {
    const client = new Native(`ws://127.0.0.1:${server.port}/`, config);
    client.connect();
    assert.equal(client.socket.getMaxListeners(), limit);
    await nextEvent(client, 'open');
    await closeAndWait(client);
  }
});

const MEMBERS = [
  'terminate',
  'close',
  'send',
  'ping',
  'pong',
  'bufferedAmount',
  'addEventListener',
  'on',
  'off',
  'removeAllListeners',
  'pause',
  'resume',
  '_socket'
];

testSameResult(
  'members of the socket',
  async Client => {
    const server = await quiet();
    const client = new Client(new URL(`ws://127.0.0.1:${server.port}/`), {});
    logEvents(client);
    try {
      client.connect();
      await nextEvent(client, 'open');
      return MEMBERS.filter(name => name in client.socket);
    } finally {
      await closeAndWait(client);
      server.close();
      await whenClosed(client);
    }
  },
  {
    outcome: found => `${found.length} members`,
    check: found => assert.deepEqual(found, MEMBERS)
  }
);
