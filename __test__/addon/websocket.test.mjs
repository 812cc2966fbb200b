/** The socket, event by event: the same behaviour of a server against Baileys' client and ours gives the same log. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import {
  BaileysClient,
  NativeClient,
  accept,
  compare,
  event,
  observe,
  rawServer,
  state,
  wsServer
} from '../support/socket-log.mjs';

const closed = client => (client.isClosed ? undefined : closeEvent(client));

/** `once` of node:events rejects on `error`; these scripts wait for `close` whatever comes before. */
function closeEvent(client) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('no close event')), 8000);
    client.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** Declares a test that both logs are equal; `check` may look at them further. */
function same(name, start, script, { config, check } = {}) {
  test(name, { timeout: 30_000 }, async () => {
    const { expected, actual } = await compare(start, script, config);
    assert.deepEqual(actual, expected);
    assert.ok(expected.length > 0, 'the script logged something');
    check?.(actual);
  });
}

/** A raw server that opens the WebSocket and sends `bytes` with it or right after. */
const opensWith =
  (bytes, after = () => {}) =>
  () =>
    rawServer((socket, key) => {
      socket.write(Buffer.concat([Buffer.from(accept(key)), Buffer.from(bytes)]));
      after(socket);
    });

/** The script of most tests: connect and see it through to the end. */
const untilClosed = async ({ client }) => {
  client.connect();
  await closeEvent(client);
};

const answers = text => () => rawServer(socket => socket.write(text));

// --- opening

same(
  'opens, and closes when asked',
  () => wsServer(() => {}),
  async ({ client, note }) => {
    note('before', client.socket, state(client));
    note('connect', client.connect(), state(client));
    await event(client, 'open');
    const socket = client.socket;
    client.connect();
    note('connect again makes no new socket', client.socket === socket);
    const closing = client.close();
    note('closing', state(client));
    note('close', await closing, client.socket, state(client));
    note('close again', await client.close());
  }
);

same(
  'tells the server 1005 when it closes',
  ({ note }) => wsServer(s => s.on('close', (code, reason) => note('server', code, reason))),
  async ({ client, log }) => {
    client.connect();
    await event(client, 'open');
    await client.close();
    while (!log.some(([what]) => what === 'server')) await turn();
    log.sort(([a], [b]) => (a === 'server') - (b === 'server'));
  }
);

for (const [code, reason] of [
  [1000, ''],
  [1001, 'going away'],
  [1011, 'ü'.repeat(40)],
  [3000, 'x'],
  [4999, ''],
  [undefined, undefined]
]) {
  same(`the server closes with ${code}`, () => wsServer(s => s.close(code, reason)), untilClosed);
}

same(
  'reconnects with the same object',
  () => wsServer(s => s.on('message', m => s.send(m))),
  async ({ client, note }) => {
    for (let round = 0; round < 3; round++) {
      client.connect();
      await event(client, 'open');
      note('send', client.send(`round ${round}`));
      await event(client, 'message');
      await client.close();
    }
  }
);

same(
  'keeps a socket that the server closed until close is called',
  () => wsServer(s => s.close()),
  async ({ client, note }) => {
    client.connect();
    await closeEvent(client);
    client.connect();
    note('no new socket', client.socket !== null, state(client));
  }
);

same(
  'sends the headers that were configured',
  ({ note }) =>
    wsServer((s, request) => {
      const names = request.rawHeaders
        .filter((_, i) => i % 2 === 0)
        .filter(name => name !== 'Sec-WebSocket-Extensions');
      note(
        'request',
        request.url,
        names,
        request.headers['x-a'],
        request.headers.origin,
        request.headers.cookie,
        request.headers.authorization
      );
      s.close();
    }),
  untilClosed,
  {
    config: { options: { headers: { 'X-A': ['1', '2'], cookie: ['a=1', 'b=2'], upgrade: 'h2c', Authorization: 'x' } } }
  }
);

test('refuses what ws refuses before it connects', () => {
  const attempts = [
    ['nope'],
    ['ftp://x'],
    ['ws://x/#a'],
    ['ws://x', { options: { headers: { 'bad name': '1' } } }],
    ['ws://x', { options: { headers: { a: '\n' } } }],
    ['ws://x', { options: { headers: { a: undefined } } }],
    ['wss://x', { agent: {} }]
  ];
  for (const [url, config = {}] of attempts) {
    const errors = [BaileysClient, NativeClient].map(Client => {
      try {
        new Client(url, config).connect();
        return 'nothing thrown';
      } catch (error) {
        return [error.name, error.code, error.message.split(' Received')[0]];
      }
    });
    assert.deepEqual(errors[1], errors[0], url);
  }
});

// --- openings that fail

test('a refused port', { timeout: 10_000 }, async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  for (const host of ['127.0.0.1', 'localhost']) {
    const logs = [];
    for (const Client of [BaileysClient, NativeClient]) {
      const client = new Client(`ws://${host}:${port}`, { connectTimeoutMs: 5000 });
      logs.push(observe(client));
      client.connect();
      await closeEvent(client);
    }
    assert.deepEqual(logs[1], logs[0], host);
    assert.equal(logs[1][0][1].code, 'ECONNREFUSED');
  }
});

test('a host that does not resolve', { timeout: 20_000 }, async () => {
  const logs = [];
  for (const Client of [BaileysClient, NativeClient]) {
    const client = new Client('ws://nowhere.invalid/', { connectTimeoutMs: 8000 });
    logs.push(observe(client));
    client.connect();
    await closeEvent(client);
  }
  assert.deepEqual(logs[1], logs[0]);
});

for (const status of [200, 301, 400, 401, 403, 404, 405, 429, 500, 503]) {
  same(
    `status ${status} instead of 101`,
    answers(`HTTP/1.1 ${status} Some Reason\r\nLocation: ws://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n`),
    untilClosed,
    {
      config: { connectTimeoutMs: 300 }
    }
  );
}

same(
  'close() in an unexpected-response listener',
  answers('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno'),
  async ({ client, note }) => {
    let closing;
    client.on('unexpected-response', () => (closing = client.close()));
    client.connect();
    await closeEvent(client);
    await closing;
    note('closed', client.socket);
  }
);

test('an unexpected response can be read', { timeout: 10_000 }, async () => {
  const server = await rawServer(s =>
    s.write('HTTP/1.1 403 Forbidden\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: 2\r\n\r\nno')
  );
  const client = new NativeClient(`ws://127.0.0.1:${server.port}/`, {});
  client.on('error', () => {});
  client.connect();
  const [request, response] = await event(client, 'unexpected-response');
  let body = '';
  for await (const chunk of response) body += chunk;
  assert.deepEqual([body, response.headers['x-a']], ['no', '1, 2']);
  request.destroy();
  await closeEvent(client);
  server.close();
});

const heads = {
  'a wrong Sec-WebSocket-Accept': 'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: abc\r\n',
  'no Sec-WebSocket-Accept': 'Upgrade: websocket\r\nConnection: Upgrade\r\n',
  'a wrong Upgrade header': 'Upgrade: h2c\r\nConnection: Upgrade\r\n'
};
for (const [name, lines] of Object.entries(heads)) {
  same(name, answers(`HTTP/1.1 101 Switching Protocols\r\n${lines}\r\n`), untilClosed);
}
for (const header of ['Sec-WebSocket-Protocol: chat']) {
  same(
    `an answer with ${header}`,
    () => rawServer((socket, key) => socket.write(accept(key).replace('\r\n\r\n', `\r\n${header}\r\n\r\n`))),
    untilClosed
  );
}
for (const [name, text] of [
  ['not HTTP', 'hello\r\n\r\n'],
  ['a bad status', 'HTTP/1.1 abc\r\n\r\n'],
  ['a bad header', 'HTTP/1.1 101 ok\r\nfoo\x01 bar\r\n\r\n'],
  [
    'an interim answer first',
    'HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'
  ]
]) {
  same(`an answer that is ${name}`, answers(text), untilClosed);
}

same('a server that never answers', () => rawServer(() => {}), untilClosed, { config: { connectTimeoutMs: 200 } });
same('a server that ends before it answers', () => rawServer(s => s.end()), untilClosed);
same('a server that resets before it answers', () => rawServer(s => s.resetAndDestroy()), untilClosed);
same('a server that ends amid its answer', () => rawServer(s => s.end('HTTP/1.1 101 Switch')), untilClosed);

same(
  'close() while connecting',
  () => rawServer(() => {}),
  async ({ client, note }) => {
    client.connect();
    const first = client.close();
    const second = client.close();
    note('closing', state(client));
    note(
      'send',
      client.send('x', error => note('callback', error))
    );
    await Promise.all([first, second]);
    note('closed', client.socket, state(client));
  }
);

for (const name of ['upgrade', 'open', 'message', 'ping', 'pong']) {
  same(
    `close() in a listener of ${name}`,
    () =>
      wsServer(s => {
        s.send('a');
        s.ping('b');
        s.pong('c');
        s.on('error', () => {});
      }),
    async ({ client, note }) => {
      let closing;
      client.once(name, () => (closing = client.close()));
      client.connect();
      await closeEvent(client);
      await closing;
      note('closed', client.socket, state(client));
    }
  );
}
for (const name of ['error', 'close']) {
  same(
    `send() in a listener of ${name}`,
    () => rawServer(s => s.end()),
    async ({ client, note }) => {
      const called = new Promise(resolve =>
        client.on(name, () => client.send('x', error => resolve(note('callback', error))))
      );
      client.connect();
      await closeEvent(client);
      await called;
    }
  );
}

test('close() after the server has closed resolves and lets connect() work again', { timeout: 10_000 }, async () => {
  // Baileys' promise stays pending for ever here; see docs on intended differences.
  const server = await wsServer(s => s.close(1000));
  const client = new NativeClient(`ws://127.0.0.1:${server.port}/`, {});
  client.connect();
  await closeEvent(client);
  await client.close();
  assert.equal(client.socket, null);
  client.connect();
  await closeEvent(client);
  server.close();
});

// --- messages

/** Messages of every length class of the WebSocket header and beyond a slab. */
const SIZES = [0, 1, 125, 126, 127, 4096, 8191, 8192, 32768, 65535, 65536, 1 << 20, 16 << 20];

same(
  'messages of all sizes, both ways',
  () => wsServer(s => s.on('message', (m, isBinary) => s.send(m, { binary: isBinary }))),
  async ({ client, note }) => {
    client.connect();
    await event(client, 'open');
    for (const size of SIZES) {
      const data = Buffer.alloc(size, size & 0xff);
      const answered = event(client, 'message');
      await new Promise((resolve, reject) => client.send(data, error => (error ? reject(error) : resolve())));
      const [received, isBinary] = await answered;
      note('echo', size, isBinary, received.equals(data), Object.getPrototypeOf(received) === Buffer.prototype);
    }
    await client.close();
  }
);

same(
  'everything that can be sent',
  ({ note }) => wsServer(s => s.on('message', (m, isBinary) => note('server', m, isBinary))),
  async ({ client, note, log }) => {
    client.connect();
    await event(client, 'open');
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
    while (count() < values.length) await turn();
    await client.close();
  }
);

same(
  'callbacks of send come in order, with null, and asynchronously',
  () => wsServer(() => {}),
  async ({ client, note }) => {
    client.connect();
    await event(client, 'open');
    const calls = [1, 2, 3].map(
      n => new Promise(resolve => client.send('x', (...args) => resolve(note(`callback ${n}`, ...args))))
    );
    note('not yet called');
    await Promise.all(calls);
    await client.close();
  }
);

same(
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
    await event(client, 'open');
    send('open');
    await turn();
    const closing = client.close();
    send('closing');
    await turn();
    const gone = closeEvent(client);
    const { socket } = client;
    await gone;
    socket.send('x', error => note('callback closed', error));
    note('no callback', socket.send('x'));
    await closing;
    await turn();
    send('after close');
  }
);

same(
  'text, fragments, and control frames between them',
  opensWith(
    [
      0x81, 2, 0x68, 0x69, 0x01, 1, 0x61, 0x89, 1, 0x70, 0x00, 1, 0x62, 0x8a, 0, 0x80, 1, 0x63, 0x02, 0, 0x80, 0, 0x82,
      0, 0x88, 2, 3, 0xe8
    ],
    s => s.once('data', () => s.end())
  ),
  untilClosed
);

same(
  'messages that come with the answer, then a drop',
  opensWith([0x82, 1, 1, 0x82, 1, 2, 0x82, 5, 3], s => s.end()),
  untilClosed
);
same(
  'a reset while open',
  opensWith([0x82, 1, 1], s => setImmediate(() => s.resetAndDestroy())),
  async ({ client, log }) => {
    client.connect();
    await closeEvent(client);
    // Whether the message or the reset is seen first is the system's choice.
    log.splice(0, log.length, ...log.filter(([what]) => what !== 'message'));
  }
);

same(
  'a message split in single bytes',
  () =>
    rawServer(async (socket, key) => {
      socket.setNoDelay();
      for (const byte of Buffer.concat([
        Buffer.from(accept(key)),
        Buffer.from([0x82, 126, 0, 130]),
        Buffer.alloc(130, 7),
        Buffer.from([0x88, 0])
      ])) {
        socket.write(Buffer.from([byte]));
        await turn();
      }
      socket.once('data', () => socket.end());
    }),
  untilClosed
);

same(
  'pings are answered, each',
  ({ note }) =>
    wsServer(s => {
      s.on('pong', data => note('server pong', data));
      for (const data of ['', 'a', 'b', 'x'.repeat(125)]) s.ping(data);
    }),
  async ({ client, log }) => {
    client.connect();
    await event(client, 'open');
    while (log.filter(([what]) => what === 'server pong').length < 4) await turn();
    await client.close();
    // The server's log and the client's run side by side.
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
  'a continuation of nothing': [0x80, 0],
  'text amid fragments': [0x02, 1, 1, 0x81, 0],
  'a fragmented ping': [0x09, 0],
  'a long ping': [0x89, 126, 0, 126],
  'a close frame of one byte': [0x88, 1, 3],
  'a masked frame': [0x82, 0x81, 1, 2, 3, 4, 5],
  'text that is not UTF-8': [0x81, 2, 0xc3, 0x28],
  'a close code that may not be sent': [0x88, 2, 3, 0xed],
  'a close reason that is not UTF-8': [0x88, 3, 3, 0xe8, 0xff],
  'a message longer than 100 MiB': [0x82, 127, 0, 0, 0, 0, 0x06, 0x40, 0, 1],
  'a length beyond 2^53': [0x82, 127, 0, 0x20, 0, 0, 0, 0, 0, 0],
  'a fault behind a message': [0x82, 1, 1, 0xc2, 0, 0x82, 1, 1]
};
for (const [name, bytes] of Object.entries(frames)) {
  const start = ({ note }) =>
    rawServer((socket, key) => {
      socket.write(Buffer.concat([Buffer.from(accept(key)), Buffer.from(bytes)]));
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
  same(
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
