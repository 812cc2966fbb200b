/** The socket, event by event: opening and closing give the same log with Baileys' client and with ours. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent } from 'node:http';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises';
import util from 'node:util';
import { LINES, NativeClient, accept, event, observe, rawServer, state, wsServer } from '../support/socket-log.mjs';
import { answers, closeEvent, same, sameResult, shut, untilClosed } from '../support/socket-scenarios.mjs';

// --- opening

same(
  'opens, and closes when asked',
  () => wsServer(() => {}),
  async ({ client, note }) => {
    note('before', client.socket, state(client));
    note('connect', util.types.isPromise(client.connect()), state(client));
    await event(client, 'open');
    const socket = client.socket;
    client.connect();
    note('connect again makes no new socket', client.socket === socket);
    const closing = client.close();
    note('closing', state(client));
    note('closed', await closing, client.socket, state(client));
    note('close again', await client.close());
  }
);

same(
  'tells the server 1005 when it closes',
  ({ note }) => wsServer(s => s.on('close', (code, reason) => note('server', code, reason))),
  async ({ client, log }) => {
    client.connect();
    await event(client, 'open');
    await shut(client);
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
      await shut(client);
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

for (const [name, url, config] of [
  ['that is none', 'nope'],
  ['of another protocol', 'ftp://x'],
  ['with a fragment', 'ws://x/#a'],
  ['and a header with a bad name', 'ws://x', { options: { headers: { 'bad name': '1' } } }],
  ['and a header with a line break', 'ws://x', { options: { headers: { a: '\n' } } }],
  ['and a header without a value', 'ws://x', { options: { headers: { a: undefined } } }],
  ['and an agent that is none', 'wss://x', { agent: {} }]
]) {
  sameResult(
    `an address ${name} is refused before anything connects`,
    async Client => {
      try {
        await new Client(url, config ?? {}).connect();
        return undefined;
      } catch (error) {
        return { name: error.name, code: error.code, message: error.message.split(' Received')[0] };
      }
    },
    { outcome: ({ name, code }) => `throws ${code ?? name}` }
  );
}

// --- openings that fail

/** The events if the handshake takes too long. */
const TIMED_OUT = [
  [
    'error',
    {
      name: 'Error',
      message: 'Opening handshake has timed out',
      code: undefined,
      errno: undefined,
      syscall: undefined,
      address: undefined,
      errors: undefined,
      reason: undefined,
      host: undefined,
      statusCode: 408
    },
    'isClosing'
  ],
  ['close', 1006, '', 'isClosed']
];

sameResult(
  'the request is that of ws, without compression',
  async Client => {
    let request;
    const server = createServer(socket =>
      socket.once('data', head => {
        request = head.toString('latin1').replace(/(Sec-WebSocket-Key|Host): [^\r]*/g, '$1: …');
        socket.destroy();
      })
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = new URL(`ws://127.0.0.1:${server.address().port}/ws/chat?a=b`);
    const headers = { 'User-Agent': 'me', 'X-Two': ['1', '2'] };
    const client = new Client(url, { connectTimeoutMs: 5_000, options: { headers } });
    client.on('error', () => {});
    client.connect();
    await closeEvent(client);
    server.close();
    // The order of headers and the case of their names do not matter.
    return request
      .split('\r\n')
      .map(line => line.toLowerCase())
      .sort();
  },
  {
    outcome: lines => `${lines.filter(line => line.includes(':')).length} headers`,
    differs: {
      id: 'compression',
      ours: lines => lines.filter(line => !line.startsWith('sec-websocket-extensions:'))
    }
  }
);

for (const host of ['127.0.0.1', 'localhost']) {
  sameResult(
    `a refused port at ${host}`,
    async Client => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address();
      server.close();
      await once(server, 'close');
      const client = new Client(`ws://${host}:${port}`, { connectTimeoutMs: 5000 });
      const log = observe(client);
      await untilClosed({ client });
      return log;
    },
    { check: log => assert.equal(log[0][1].code, 'ECONNREFUSED') }
  );
}

// The error of the machine's resolver, which may be slow. A name in .invalid never exists.
sameResult('a host that does not resolve', async Client => {
  const client = new Client('ws://nowhere.invalid/', { connectTimeoutMs: 4000 });
  const log = observe(client);
  await untilClosed({ client });
  return log;
});

/** The error of Node's `lookup` for a name that does not exist. */
const notFound = host =>
  Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), {
    errno: -3008,
    code: 'ENOTFOUND',
    syscall: 'getaddrinfo',
    hostname: host
  });

for (const [name, answer] of [
  ['says at once that there is none', done => done(notFound('some.name.test'))],
  ['says later that there is none', done => setImmediate(done, notFound('some.name.test'))],
  ['never answers', () => {}]
]) {
  sameResult(
    `a host of which the agent's lookup ${name}`,
    async Client => {
      const lookup = (_, __, done) => answer(done);
      const client = new Client('ws://some.name.test/', { connectTimeoutMs: 400, agent: new Agent({ lookup }) });
      const log = observe(client);
      await untilClosed({ client });
      return log;
    },
    { check: log => assert.equal(log[0][0], 'error') }
  );
}

sameResult(
  'lookup, family and localAddress of an agent',
  async Client => {
    const server = await wsServer((s, request) => s.send(request.socket.remoteAddress));
    const asked = [];
    const lookup = (host, options, done) => {
      asked.push(host);
      done(null, options.all ? [{ address: '127.0.0.1', family: 4 }] : '127.0.0.1', 4);
    };
    const agent = new Agent({ lookup, localAddress: '127.0.0.3' });
    const client = new Client(`ws://some.name.test:${server.port}/`, { agent });
    client.on('error', () => {});
    const answer = event(client, 'message');
    client.connect();
    const from = String((await answer)[0]);
    await shut(client);
    agent.destroy();
    server.close();
    return { from, asked };
  },
  {
    outcome: ({ from, asked }) => `asks for ${asked}, comes from ${from}`,
    check: result => assert.deepEqual(result, { from: '127.0.0.3', asked: ['some.name.test'] })
  }
);

for (const status of [200, 301, 400, 401, 403, 404, 405, 429, 500, 503]) {
  same(
    `status ${status} instead of 101`,
    answers(`HTTP/1.1 ${status} Some Reason\r\nLocation: ws://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n`),
    untilClosed,
    // `ws` ends the request at this time. It must be longer than the answer takes on a busy machine.
    { config: { connectTimeoutMs: 1_000 } }
  );
}

same(
  'status 403, and the server hangs up',
  () => rawServer(s => s.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n')),
  async ({ client }) => {
    client.connect();
    await event(client, 'unexpected-response');
    // Baileys' client emits nothing more. The test waits to check that.
    await Promise.race([closeEvent(client).catch(() => {}), delay(1000)]);
  },
  {
    config: { connectTimeoutMs: 300 },
    differs: { id: 'refused-upgrade', ours: log => [...log, ...TIMED_OUT] }
  }
);

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
    const gone = closeEvent(client);
    const first = client.close();
    const second = client.close();
    note('closing', state(client));
    note(
      'send',
      client.send('x', error => note('callback', error))
    );
    await Promise.all([first, second]);
    note('closed', client.socket, state(client));
    await gone;
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

test('close() after the server has closed lets connect() work again', { timeout: 10_000 }, async () => {
  // An intended difference: Baileys 7 waits forever here, and its socket cannot be used again.
  for (const { Native } of LINES) {
    const server = await wsServer(s => s.close(1000));
    const client = new Native(`ws://127.0.0.1:${server.port}/`, {});
    client.connect();
    await closeEvent(client);
    await client.close();
    assert.equal(client.socket, null);
    client.connect();
    await closeEvent(client);
    server.close();
  }
});
