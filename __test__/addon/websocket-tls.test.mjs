/** TLS and agents: the same certificates and agents have the same result with Baileys' client and with ours. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import { createRequire } from 'node:module';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { WebSocketServer } from 'ws';
import { closeAfter } from '../support/resources.mjs';
import { BaileysClient, NativeClient, nextEvent, logEvents } from '../support/socket-log.mjs';
import { closeEvent, testSameResult, closeAndWait } from '../support/socket-scenarios.mjs';
import { certificate } from '../support/tls.mjs';
import { EVENT_TIMEOUT_MS } from '../support/until.mjs';

const run = promisify(execFile);
const client = fileURLToPath(new URL('../support/tls-client.mjs', import.meta.url));

/** Certificates by name. Each is created once. */
const made = {};
let authority;

before(async () => {
  authority = await certificate({ isAuthority: true, names: [], addresses: [] });
  const other = await certificate({ isAuthority: true, names: [], addresses: [] });
  made.selfSigned = await certificate();
  made.selfSignedAuthority = await certificate({ isAuthority: true });
  made.signed = await certificate({ issuer: authority });
  made.wrongName = await certificate({
    issuer: authority,
    names: ['other.test', '*.more.test'],
    addresses: ['192.0.2.7']
  });
  made.expired = await certificate({ issuer: authority, from: -30, to: -2 });
  made.early = await certificate({ issuer: authority, from: 2, to: 30 });
  const third = await certificate({ isAuthority: true, names: [], addresses: [], commonName: 'Another Authority' });
  const between = await certificate({
    isAuthority: true,
    names: [],
    addresses: [],
    commonName: 'Between',
    issuer: third
  });
  const chained = await certificate({ issuer: between });
  made.chainWithoutRoot = { cert: `${chained.cert}\n${between.cert}`, key: chained.key };
  made.chainWithRoot = { cert: `${chained.cert}\n${between.cert}\n${third.cert}`, key: chained.key };
  made.root = third;
  made.identity = await certificate({ issuer: authority });
  const signed = await certificate({ issuer: other });
  made.wholeChain = { cert: `${signed.cert}\n${other.cert}`, key: signed.key };
});

async function tlsServer({ cert, key, ...options }) {
  const server = https.createServer({ cert, key, ...options });
  const wss = new WebSocketServer({ server });
  wss.on('connection', (s, request) => {
    s.on('error', () => {});
    s.on('message', m => s.send(m));
    s.send(`${request.socket.getProtocol()} ${request.socket.servername || ''} ${request.socket.authorized}`);
  });
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: server.address().port,
    close: () => {
      for (const socket of wss.clients) socket.terminate();
      server.close();
      server.closeAllConnections();
    }
  };
}

/** Connects. Resolves with the log after the first message or the end. */
async function logOf(Client, port, config, host = 'localhost') {
  const socket = new Client(`wss://${host}:${port}/`, { connectTimeoutMs: 30_000, ...config });
  const log = logEvents(socket);
  await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('neither message nor close')), EVENT_TIMEOUT_MS);
    const done = () => (clearTimeout(timer), resolve());
    socket.once('message', done);
    socket.once('close', done);
    socket.connect();
  });
  if (socket.isOpen) await closeAndWait(socket);
  return log;
}

const codeOf = log => log.find(([what]) => what === 'error')?.[1].code;
const trusting = () => ({ agent: new https.Agent({ ca: authority.cert }) });

/** Declares a test of both clients against servers with the same certificate; `code` is the error that both give. */
function sameTls(name, options, config, code, { host = 'localhost', check } = {}) {
  testSameResult(
    `TLS: ${name}`,
    async (Client, line, t) => {
      const server = closeAfter(t, await tlsServer(options()));
      return logOf(Client, server.port, config(), host);
    },
    {
      check: log => {
        assert.equal(codeOf(log), code);
        check?.(log);
      }
    }
  );
}

const nothing = () => ({});
const withAgent = options => () => ({ agent: new https.Agent(options()) });

const cases = [
  ['a self-signed certificate', 'selfSigned', nothing, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  ['a self-signed authority', 'selfSignedAuthority', nothing, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  ['an unknown issuer', 'signed', nothing, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
  ['a chain up to an unknown root', 'wholeChain', nothing, 'SELF_SIGNED_CERT_IN_CHAIN'],
  // Its authority has the name of the trusted authority but another key.
  ['an issuer with the name of a trusted one', 'wholeChain', trusting, 'CERT_SIGNATURE_FAILURE'],
  ['a chain up to a root that is not the trusted one', 'chainWithRoot', trusting, 'SELF_SIGNED_CERT_IN_CHAIN'],
  ['a chain without its root', 'chainWithoutRoot', trusting, 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY'],
  ['a chain to a trusted root', 'chainWithoutRoot', withAgent(() => ({ ca: made.root.cert })), undefined],
  ['a trusted issuer', 'signed', trusting, undefined],
  ['a wrong name', 'wrongName', trusting, 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ['an expired certificate', 'expired', trusting, 'CERT_HAS_EXPIRED'],
  ['a certificate that is not valid yet', 'early', trusting, 'CERT_NOT_YET_VALID'],
  [
    'a self-signed certificate that is trusted',
    'selfSigned',
    withAgent(() => ({ ca: made.selfSigned.cert })),
    undefined
  ],
  [
    'a self-signed authority that is trusted, as a Buffer in a list',
    'selfSignedAuthority',
    withAgent(() => ({ ca: [Buffer.from(made.selfSignedAuthority.cert)] })),
    undefined
  ],
  ['rejectUnauthorized: false', 'selfSigned', withAgent(() => ({ rejectUnauthorized: false })), undefined],
  [
    'rejectUnauthorized: false, keepAlive and maxSockets, expired',
    'expired',
    withAgent(() => ({ rejectUnauthorized: false, keepAlive: true, maxSockets: 4 })),
    undefined
  ],
  [
    'an agent with the options of newer versions of Node',
    'signed',
    withAgent(() => ({ ca: authority.cert, defaultPort: 443, protocol: 'https:', noDelay: true, path: null })),
    undefined
  ],
  ['servername', 'wrongName', withAgent(() => ({ ca: authority.cert, servername: 'other.test' })), undefined],
  [
    'servername for a name with a wildcard',
    'wrongName',
    withAgent(() => ({ ca: authority.cert, servername: 'deep.more.test' })),
    undefined
  ],
  [
    'the name in a Host header',
    'signed',
    () => ({ ...trusting(), options: { headers: { Host: 'elsewhere.test:1234' } } }),
    'ERR_TLS_CERT_ALTNAME_INVALID'
  ]
];
for (const [name, key, config, code] of cases) {
  for (const host of ['localhost', '127.0.0.1'])
    sameTls(`${name}, at ${host}`, () => made[key], config, code, { host });
}

for (const version of ['TLSv1.2', 'TLSv1.3']) {
  sameTls(
    `version ${version}`,
    () => ({ ...made.signed, minVersion: version, maxVersion: version }),
    trusting,
    undefined
  );
}

const asking = () => ({ ...made.signed, ca: authority.cert, requestCert: true, rejectUnauthorized: false });
sameTls('no client certificate', asking, trusting, undefined);
sameTls(
  'a client certificate',
  asking,
  withAgent(() => ({ ca: authority.cert, ...made.identity })),
  undefined,
  {
    check: log =>
      assert.equal(Buffer.from(log.find(([what]) => what === 'message')[1], 'hex').toString(), 'TLSv1.3 localhost true')
  }
);

for (const [name, answer, code] of [
  ['a server without TLS', socket => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'), 'EPROTO'],
  ['a server that ends the connection', socket => socket.end(), 'ECONNRESET'],
  ['a server that resets the connection', socket => socket.resetAndDestroy(), 'ECONNRESET'],
  ['a server that never answers', () => {}, undefined]
]) {
  testSameResult(
    `TLS: ${name}`,
    async (Client, line, t) => {
      const server = net
        .createServer(socket => socket.once('data', () => answer(socket)).on('error', () => {}))
        .listen(0, '127.0.0.1');
      closeAfter(t, server);
      await once(server, 'listening');
      const connectTimeoutMs = code === undefined ? 300 : 30_000;
      const log = await logOf(Client, server.address().port, { connectTimeoutMs });
      // OpenSSL's text contains memory addresses and source lines. Programs use the code.
      return log.map(([what, first]) =>
        what === 'error' ? [what, { code: first.code, statusCode: first.statusCode }] : [what, first]
      );
    },
    { check: log => assert.equal(codeOf(log), code) }
  );
}

test('certificates of environment variables are used', { timeout: 60_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'baileys-native-'));
  const file = join(folder, 'ca.pem');
  await writeFile(file, authority.cert);
  const server = await tlsServer(made.signed);
  try {
    for (const [environment, outcome] of [
      [{}, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
      [{ NODE_EXTRA_CA_CERTS: file }, 'open'],
      [{ NODE_EXTRA_CA_CERTS: join(folder, 'missing.pem') }, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
      [{ NODE_TLS_REJECT_UNAUTHORIZED: '0' }, 'open'],
      [{ NODE_TLS_REJECT_UNAUTHORIZED: '1' }, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE']
    ]) {
      for (const kind of ['baileys', 'native']) {
        const { stdout } = await run(process.execPath, [client, kind, `wss://localhost:${server.port}/`], {
          env: { ...process.env, ...environment },
          timeout: 60_000
        });
        assert.equal(stdout.trim(), outcome, `${kind} ${JSON.stringify(environment)}`);
      }
    }
    // Node 20 does not support NODE_USE_SYSTEM_CA. SSL_CERT_FILE replaces the system's store.
    const { stdout } = await run(process.execPath, [client, 'native', `wss://localhost:${server.port}/`], {
      env: { ...process.env, NODE_USE_SYSTEM_CA: '1', SSL_CERT_FILE: file },
      timeout: 60_000
    });
    assert.equal(stdout.trim(), 'open');
    // OpenSSL's store is not supported natively; see docs/trust.md.
    for (const [kind, outcome] of [
      ['baileys', 'open'],
      ['native', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE']
    ]) {
      const args = ['--use-openssl-ca', client, kind, `wss://localhost:${server.port}/`];
      const options = { env: { ...process.env, SSL_CERT_FILE: file }, timeout: 60_000 };
      assert.equal((await run(process.execPath, args, options)).stdout.trim(), outcome, kind);
    }
  } finally {
    server.close();
    await rm(folder, { recursive: true });
  }
});

test('the environment variables are read when a connection starts', { timeout: 60_000 }, async t => {
  const server = closeAfter(t, await tlsServer(made.selfSigned));
  const before = process.env.NODE_TLS_REJECT_UNAUTHORIZED;
  t.after(() => {
    if (before !== undefined) process.env.NODE_TLS_REJECT_UNAUTHORIZED = before;
    else delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
  });
  const codes = [];
  for (const value of [undefined, '0', undefined]) {
    if (value === undefined) delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    else process.env.NODE_TLS_REJECT_UNAUTHORIZED = value;
    codes.push(codeOf(await logOf(NativeClient, server.port, {})));
  }
  assert.deepEqual(codes, ['DEPTH_ZERO_SELF_SIGNED_CERT', undefined, 'DEPTH_ZERO_SELF_SIGNED_CERT']);
});

// --- agents that are not supported

class Tunnel extends https.Agent {
  createConnection() {
    throw new Error('not to be called');
  }
}
const own = new https.Agent();
own.createConnection = () => {};

for (const [name, agent] of [
  ['a subclass with createConnection', new Tunnel()],
  ['an instance with createConnection', own],
  ['an object that is not an agent of Node', { addRequest() {} }],
  ['an unsupported option', new https.Agent({ checkServerIdentity: () => undefined })],
  ['the option ciphers', new https.Agent({ ciphers: 'AES128-SHA' })],
  ['an agent without TLS whose protocol is https:', Object.assign(new http.Agent(), { protocol: 'https:' })]
]) {
  test(`no connection is made for ${name}`, { timeout: 60_000 }, async t => {
    let connections = 0;
    const server = closeAfter(t, net.createServer(() => connections++).listen(0, '127.0.0.1'));
    await once(server, 'listening');
    const log = await logOf(NativeClient, server.address().port, { agent });
    assert.deepEqual(
      log.map(([what]) => what),
      ['error', 'close']
    );
    assert.equal(codeOf(log), 'ERR_AGENT_UNSUPPORTED');
    assert.equal(log[1][1], 1006);
    assert.equal(connections, 0);
  });
}

test('no connection is made for a TLS agent whose protocol is http:', { timeout: 60_000 }, async () => {
  const agent = Object.assign(new https.Agent(), { protocol: 'http:' });
  const socket = new NativeClient('ws://127.0.0.1:1/', { agent });
  const log = logEvents(socket);
  socket.connect();
  await closeEvent(socket);
  assert.deepEqual([log.map(([what]) => what), codeOf(log)], [['error', 'close'], 'ERR_AGENT_UNSUPPORTED']);
});

test("Node's own agents are supported on every version of Node", () => {
  const { routeOf } = createRequire(import.meta.url)('../../js/connect/agent.cjs');
  for (const [module, secure] of [
    [http, false],
    [https, true]
  ]) {
    for (const agent of [
      module.globalAgent,
      new module.Agent(),
      new module.Agent({ keepAlive: true, keepAliveMsecs: 10, maxSockets: 1, scheduling: 'fifo', timeout: 10 })
    ]) {
      const target = { secure, host: 'localhost', port: 1, path: '/', authority: 'localhost:1' };
      const { host, port, tls } = routeOf(agent, target);
      assert.deepEqual([host, port, tls?.serverName], ['localhost', 1, secure ? 'localhost' : undefined]);
    }
  }
});

test('an agent of the other protocol throws, as in Node', () => {
  const attempts = [
    ['wss://localhost:1/', new http.Agent()],
    ['ws://localhost:1/', new https.Agent()]
  ];
  for (const [url, agent] of attempts) {
    const thrown = [BaileysClient, NativeClient].map(Client => {
      try {
        new Client(url, { agent }).connect();
        return undefined;
      } catch (error) {
        return [error.name, error.code, error.message];
      }
    });
    assert.deepEqual(thrown[1], thrown[0]);
    assert.ok(thrown[0]);
  }
});

after(() => https.globalAgent.destroy());

test('TLS: long and short messages alternate in both directions', async t => {
  const server = closeAfter(t, await tlsServer(made.signed));
  const url = `wss://localhost:${server.port}/`;
  const socket = closeAfter(t, new NativeClient(url, { connectTimeoutMs: 30_000, ...trusting() }));
  const greeted = nextEvent(socket, 'message');
  socket.connect();
  await greeted;
  // After each long message the connection has small buffers again.
  for (const size of [100_000, 1, 2047, 2048, 2049, 41_189, 0, 3 << 20, 5]) {
    const data = Buffer.alloc(size, size & 0xff);
    const echoed = nextEvent(socket, 'message');
    socket.send(data);
    const [received, isBinary] = await echoed;
    assert.deepEqual([received.equals(data), isBinary], [true, true], `${size} bytes`);
  }
});
