/** The events of both clients for opening and closing a connection. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent } from 'node:http';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import util from 'node:util';
import { closeAfter } from '../support/resources.mjs';
import { replaceResolver } from '../support/resolver.mjs';
import {
  LINES,
  NativeClient,
  upgradeResponse,
  nextEvent,
  logEvents,
  rawServer,
  state,
  wsServer
} from '../support/socket-log.mjs';
import {
  serverAnswering,
  closeEvent,
  testSameLog,
  testSameResult,
  closeAndWait,
  connectUntilClosed
} from '../support/socket-scenarios.mjs';
import { until } from '../support/until.mjs';

// --- opening

testSameLog(
  'connect() opens the connection, and close() closes it',
  () => wsServer(() => {}),
  async ({ client, note }) => {
    note('before', client.socket, state(client));
    note('connect', util.types.isPromise(client.connect()), state(client));
    await nextEvent(client, 'open');
    const socket = client.socket;
    client.connect();
    note('connect again makes no new socket', client.socket === socket);
    const closing = client.close();
    note('closing', state(client));
    note('closed', await closing, client.socket, state(client));
    note('close again', await client.close());
  }
);

testSameLog(
  'close() sends code 1005 to the server',
  ({ note }) => wsServer(s => s.on('close', (code, reason) => note('server', code, reason))),
  async ({ client, log }) => {
    client.connect();
    await nextEvent(client, 'open');
    await closeAndWait(client);
    await until(() => log.some(([what]) => what === 'server'), { every: 1 });
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
  testSameLog(`the server closes with ${code}`, () => wsServer(s => s.close(code, reason)), connectUntilClosed);
}

testSameLog(
  'a client connects again after close()',
  () => wsServer(s => s.on('message', m => s.send(m))),
  async ({ client, note }) => {
    for (let round = 0; round < 3; round++) {
      client.connect();
      await nextEvent(client, 'open');
      note('send', client.send(`round ${round}`));
      await nextEvent(client, 'message');
      await closeAndWait(client);
    }
  }
);

testSameLog(
  'a socket that the server has closed is kept until close()',
  () => wsServer(s => s.close()),
  async ({ client, note }) => {
    client.connect();
    await closeEvent(client);
    client.connect();
    note('no new socket', client.socket !== null, state(client));
  }
);

testSameLog(
  'the configured headers are sent',
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
  connectUntilClosed,
  {
    config: { options: { headers: { 'X-A': ['1', '2'], cookie: ['a=1', 'b=2'], upgrade: 'h2c', Authorization: 'x' } } }
  }
);

for (const [name, url, config] of [
  ['an invalid URL', 'nope'],
  ['a URL of another protocol', 'ftp://x'],
  ['a URL with a fragment', 'ws://x/#a'],
  ['a header with an invalid name', 'ws://x', { options: { headers: { 'bad name': '1' } } }],
  ['a header with a line break', 'ws://x', { options: { headers: { a: '\n' } } }],
  ['a header without a value', 'ws://x', { options: { headers: { a: undefined } } }],
  ['an agent that is not an agent', 'wss://x', { agent: {} }]
]) {
  testSameResult(
    `${name} is refused before a connection is made`,
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

testSameResult(
  'the request is that of ws, without compression',
  async (Client, line, t) => {
    let request;
    const server = createServer(socket =>
      socket.once('data', head => {
        request = head.toString('latin1').replace(/(Sec-WebSocket-Key|Host): [^\r]*/g, '$1: …');
        socket.destroy();
      })
    );
    server.listen(0, '127.0.0.1');
    closeAfter(t, server);
    await once(server, 'listening');
    const url = new URL(`ws://127.0.0.1:${server.address().port}/ws/chat?a=b`);
    const headers = { 'User-Agent': 'me', 'X-Two': ['1', '2'] };
    const client = new Client(url, { connectTimeoutMs: 30_000, options: { headers } });
    client.on('error', () => {});
    client.connect();
    await closeEvent(client);
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
  testSameResult(
    `a refused port at ${host}`,
    async Client => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address();
      server.close();
      await once(server, 'close');
      const client = new Client(`ws://${host}:${port}`, { connectTimeoutMs: 30_000 });
      const log = logEvents(client);
      await connectUntilClosed({ client });
      return log;
    },
    { check: log => assert.equal(log[0][1].code, 'ECONNREFUSED') }
  );
}

// The error comes from the resolver of the machine. Names in .invalid do not exist.
testSameResult('a host name that cannot be resolved', async (Client, line, t) => {
  await replaceResolver(t);
  const client = new Client('ws://nowhere.invalid/', { connectTimeoutMs: 30_000 });
  const log = logEvents(client);
  await connectUntilClosed({ client });
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
  ['fails at once', done => done(notFound('some.name.test'))],
  ['fails later', done => setImmediate(done, notFound('some.name.test'))],
  ['gives no address', done => done(null, [{ address: 'nonsense', family: 4 }])],
  ['never answers', () => {}]
]) {
  testSameResult(
    `the lookup function of an agent ${name}`,
    async Client => {
      const lookup = (_, __, done) => answer(done);
      const connectTimeoutMs = name === 'never answers' ? 400 : 30_000;
      const client = new Client('ws://some.name.test/', { connectTimeoutMs, agent: new Agent({ lookup }) });
      const log = logEvents(client);
      await connectUntilClosed({ client });
      return log;
    },
    { check: log => assert.equal(log[0][0], 'error') }
  );
}

testSameResult(
  'lookup, family and localAddress of an agent',
  async (Client, line, t) => {
    const server = closeAfter(t, await wsServer((s, request) => s.send(request.socket.remoteAddress)));
    const asked = [];
    const lookup = (host, options, done) => {
      asked.push(host);
      done(null, options.all ? [{ address: '127.0.0.1', family: 4 }] : '127.0.0.1', 4);
    };
    const agent = new Agent({ lookup, localAddress: '127.0.0.3' });
    const client = new Client(`ws://some.name.test:${server.port}/`, { agent });
    client.on('error', () => {});
    const answer = nextEvent(client, 'message');
    client.connect();
    const from = String((await answer)[0]);
    await closeAndWait(client);
    agent.destroy();
    return { from, asked };
  },
  {
    outcome: ({ from, asked }) => `asks for ${asked}, comes from ${from}`,
    check: result => assert.deepEqual(result, { from: '127.0.0.3', asked: ['some.name.test'] })
  }
);

/** Whether the response of the server came before the connect timeout. */
const isAnswered = log => log.some(([what]) => what === 'unexpected-response');

for (const status of [200, 301, 400, 401, 403, 404, 405, 429, 500, 503]) {
  testSameLog(
    `status ${status} instead of 101`,
    serverAnswering(`HTTP/1.1 ${status} Some Reason\r\nLocation: ws://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n`),
    connectUntilClosed,
    // `ws` ends the request at this time.
    { config: { connectTimeoutMs: 1_000 }, isInTime: isAnswered }
  );
}

testSameLog(
  'status 403 from a server that then ends the connection',
  () => rawServer(s => s.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n')),
  async ({ client, Client, line, connectTimeoutMs }) => {
    client.connect();
    await nextEvent(client, 'unexpected-response');
    // Baileys' client emits nothing more. The test waits to check that.
    await (Client === line.Native ? closeEvent(client) : delay(connectTimeoutMs + 700));
  },
  {
    config: { connectTimeoutMs: 300 },
    isInTime: isAnswered,
    differs: { id: 'refused-upgrade', ours: log => [...log, ...TIMED_OUT] }
  }
);

testSameLog(
  'close() in an unexpected-response listener',
  serverAnswering('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno'),
  async ({ client, note }) => {
    let closing;
    client.on('unexpected-response', () => (closing = client.close()));
    client.connect();
    await closeEvent(client);
    await closing;
    note('closed', client.socket);
  }
);

test('an unexpected response can be read', { timeout: 60_000 }, async t => {
  const response403 = 'HTTP/1.1 403 Forbidden\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: 2\r\n\r\nno';
  const server = closeAfter(t, await rawServer(s => s.write(response403)));
  const client = new NativeClient(`ws://127.0.0.1:${server.port}/`, {});
  client.on('error', () => {});
  client.connect();
  const [request, response] = await nextEvent(client, 'unexpected-response');
  let body = '';
  for await (const chunk of response) body += chunk;
  assert.deepEqual([body, response.headers['x-a']], ['no', '1, 2']);
  request.destroy();
  await closeEvent(client);
});

const heads = {
  'a wrong Sec-WebSocket-Accept': 'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: abc\r\n',
  'no Sec-WebSocket-Accept': 'Upgrade: websocket\r\nConnection: Upgrade\r\n',
  'a wrong Upgrade header': 'Upgrade: h2c\r\nConnection: Upgrade\r\n'
};
for (const [name, lines] of Object.entries(heads)) {
  testSameLog(name, serverAnswering(`HTTP/1.1 101 Switching Protocols\r\n${lines}\r\n`), connectUntilClosed);
}
for (const header of ['Sec-WebSocket-Protocol: chat']) {
  testSameLog(
    `an answer with ${header}`,
    () => rawServer((socket, key) => socket.write(upgradeResponse(key).replace('\r\n\r\n', `\r\n${header}\r\n\r\n`))),
    connectUntilClosed
  );
}
for (const [name, text] of [
  ['that is not HTTP', 'hello\r\n\r\n'],
  ['with an invalid status', 'HTTP/1.1 abc\r\n\r\n'],
  ['with an invalid header', 'HTTP/1.1 101 ok\r\nfoo\x01 bar\r\n\r\n'],
  [
    'after an interim answer',
    'HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'
  ]
]) {
  testSameLog(`an answer ${name}`, serverAnswering(text), connectUntilClosed);
}

for (const [name, edit] of [
  ['a second Sec-WebSocket-Accept header', text => text.replace(/(Sec-WebSocket-Accept: .*\r\n)/, '$1$1')],
  ['a second Upgrade header', text => text.replace(/(Upgrade: .*\r\n)/, '$1$1')],
  ['a header line that ends without a carriage return', text => text.replace('Upgrade\r\n', 'Upgrade\n')],
  ['a status line that ends without a carriage return', text => text.replace('Protocols\r\n', 'Protocols\n')]
]) {
  testSameLog(
    `an answer with ${name}`,
    () => rawServer((socket, key) => socket.write(edit(upgradeResponse(key)))),
    connectUntilClosed
  );
}

testSameLog('a server that never answers', () => rawServer(() => {}), connectUntilClosed, {
  config: { connectTimeoutMs: 200 }
});
testSameLog('a server that ends before it answers', () => rawServer(s => s.end()), connectUntilClosed);
testSameLog('a server that resets before it answers', () => rawServer(s => s.resetAndDestroy()), connectUntilClosed);
testSameLog(
  'a server that ends in the middle of its answer',
  () => rawServer(s => s.end('HTTP/1.1 101 Switch')),
  connectUntilClosed
);

testSameLog(
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
  testSameLog(
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
  testSameLog(
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

test('close() after the server has closed lets connect() work again', { timeout: 60_000 }, async t => {
  // An intended difference: Baileys 7 waits forever here, and its socket cannot be used again.
  for (const { Native } of LINES) {
    const server = closeAfter(t, await wsServer(s => s.close(1000)));
    const client = new Native(`ws://127.0.0.1:${server.port}/`, {});
    client.connect();
    await closeEvent(client);
    await client.close();
    assert.equal(client.socket, null);
    client.connect();
    await closeEvent(client);
  }
});
