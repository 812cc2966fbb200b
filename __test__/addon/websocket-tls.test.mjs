/** TLS and agents: the same certificates and agents give the same verdicts with Baileys' client and with ours. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { WebSocketServer } from 'ws';
import { BaileysClient, NativeClient, observe } from '../support/socket-log.mjs';
import { certificate } from '../support/tls.mjs';

const run = promisify(execFile);
const client = fileURLToPath(new URL('../support/tls-client.mjs', import.meta.url));

/** Certificates by name; made once. */
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
  const signed = await certificate({ issuer: other });
  made.wholeChain = { cert: `${signed.cert}\n${other.cert}`, key: signed.key };
});

async function tlsServer({ cert, key, ...options }) {
  const server = https.createServer({ cert, key, ...options });
  const wss = new WebSocketServer({ server });
  wss.on('connection', (s, request) => {
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

/** Connects; after the first message or the end gives the log. */
async function logOf(Client, port, config, host = 'localhost') {
  const socket = new Client(`wss://${host}:${port}/`, { connectTimeoutMs: 5000, ...config });
  const log = observe(socket);
  await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('neither message nor close')), 8000);
    const done = () => (clearTimeout(timer), resolve());
    socket.once('message', done);
    socket.once('close', done);
    socket.connect();
  });
  if (socket.isOpen) await socket.close();
  return log;
}

/** Both logs against one server. */
async function compareTls(server, config, host) {
  const expected = await logOf(BaileysClient, server.port, config(), host);
  const actual = await logOf(NativeClient, server.port, config(), host);
  assert.deepEqual(actual, expected);
  return actual;
}

const codeOf = log => log.find(([what]) => what === 'error')?.[1].code;
const trusting = () => ({ agent: new https.Agent({ ca: authority.cert }) });

const cases = [
  ['selfSigned', () => ({}), 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  ['selfSignedAuthority', () => ({}), 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  ['signed', () => ({}), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
  ['wholeChain', () => ({}), 'SELF_SIGNED_CERT_IN_CHAIN'],
  // Its authority has the name of the trusted one and another key.
  ['wholeChain', trusting, 'CERT_SIGNATURE_FAILURE'],
  ['chainWithRoot', trusting, 'SELF_SIGNED_CERT_IN_CHAIN'],
  ['chainWithoutRoot', trusting, 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY'],
  ['chainWithoutRoot', () => ({ agent: new https.Agent({ ca: made.root.cert }) }), undefined],
  ['signed', trusting, undefined],
  ['wrongName', trusting, 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ['expired', trusting, 'CERT_HAS_EXPIRED'],
  ['early', trusting, 'CERT_NOT_YET_VALID'],
  ['selfSigned', () => ({ agent: new https.Agent({ ca: made.selfSigned.cert }) }), undefined],
  [
    'selfSignedAuthority',
    () => ({ agent: new https.Agent({ ca: [Buffer.from(made.selfSignedAuthority.cert)] }) }),
    undefined
  ],
  ['selfSigned', () => ({ agent: new https.Agent({ rejectUnauthorized: false }) }), undefined],
  [
    'expired',
    () => ({ agent: new https.Agent({ rejectUnauthorized: false, keepAlive: true, maxSockets: 4 }) }),
    undefined
  ],
  ['wrongName', () => ({ agent: new https.Agent({ ca: authority.cert, servername: 'other.test' }) }), undefined],
  ['wrongName', () => ({ agent: new https.Agent({ ca: authority.cert, servername: 'deep.more.test' }) }), undefined],
  [
    'signed',
    () => ({ ...trusting(), options: { headers: { Host: 'elsewhere.test:1234' } } }),
    'ERR_TLS_CERT_ALTNAME_INVALID'
  ]
];
for (const [name, config, code] of cases) {
  for (const host of ['localhost', '127.0.0.1']) {
    test(`${name} with ${config} at ${host}`, { timeout: 30_000 }, async () => {
      const server = await tlsServer(made[name]);
      try {
        const log = await compareTls(server, config, host);
        assert.equal(codeOf(log), code);
      } finally {
        server.close();
      }
    });
  }
}

for (const version of ['TLSv1.2', 'TLSv1.3']) {
  test(`${version}`, { timeout: 30_000 }, async () => {
    const server = await tlsServer({ ...made.signed, minVersion: version, maxVersion: version });
    const log = await compareTls(server, trusting);
    assert.equal(codeOf(log), undefined);
    server.close();
  });
}

test('a client certificate, given and missing', { timeout: 30_000 }, async () => {
  const identity = await certificate({ issuer: authority });
  const server = await tlsServer({ ...made.signed, ca: authority.cert, requestCert: true, rejectUnauthorized: false });
  const given = () => ({ agent: new https.Agent({ ca: authority.cert, ...identity }) });
  const log = await compareTls(server, given);
  assert.equal(Buffer.from(log.find(([what]) => what === 'message')[1], 'hex').toString(), 'TLSv1.3 localhost true');
  await compareTls(server, trusting);
  server.close();
});

test('a server that does not speak TLS, and one that hangs up', { timeout: 30_000 }, async () => {
  for (const [answer, code] of [
    [socket => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'), 'EPROTO'],
    [socket => socket.end(), 'ECONNRESET']
  ]) {
    const server = net
      .createServer(socket => socket.once('data', () => answer(socket)).on('error', () => {}))
      .listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address();
    const logs = [];
    for (const Client of [BaileysClient, NativeClient]) logs.push(await logOf(Client, port, {}));
    // OpenSSL's text has addresses in memory and source lines; the code is what programs look at.
    assert.deepEqual(
      logs.map(log => [log.map(([what]) => what), codeOf(log)]),
      [
        [['error', 'close'], code],
        [['error', 'close'], code]
      ]
    );
    server.close();
  }
});

test('certificates in the environment', { timeout: 60_000 }, async () => {
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
          timeout: 20_000
        });
        assert.equal(stdout.trim(), outcome, `${kind} ${JSON.stringify(environment)}`);
      }
    }
    // Node 20 itself does not know NODE_USE_SYSTEM_CA; SSL_CERT_FILE stands for the system's store.
    const { stdout } = await run(process.execPath, [client, 'native', `wss://localhost:${server.port}/`], {
      env: { ...process.env, NODE_USE_SYSTEM_CA: '1', SSL_CERT_FILE: file },
      timeout: 20_000
    });
    assert.equal(stdout.trim(), 'open');
  } finally {
    server.close();
    await rm(folder, { recursive: true });
  }
});

test('the environment decides at the time of connecting', { timeout: 30_000 }, async () => {
  const server = await tlsServer(made.selfSigned);
  const before = process.env.NODE_TLS_REJECT_UNAUTHORIZED;
  const codes = [];
  for (const value of [undefined, '0', undefined]) {
    if (value === undefined) delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    else process.env.NODE_TLS_REJECT_UNAUTHORIZED = value;
    codes.push(codeOf(await logOf(NativeClient, server.port, {})));
  }
  if (before !== undefined) process.env.NODE_TLS_REJECT_UNAUTHORIZED = before;
  assert.deepEqual(codes, ['DEPTH_ZERO_SELF_SIGNED_CERT', undefined, 'DEPTH_ZERO_SELF_SIGNED_CERT']);
  server.close();
});

// --- agents that cannot be honoured

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
  ['an object that is no agent of Node', { addRequest() {} }],
  ['an option that is not understood', new https.Agent({ checkServerIdentity: () => undefined })],
  ['another', new https.Agent({ ciphers: 'AES128-SHA' })]
]) {
  test(`nothing connects for ${name}`, { timeout: 10_000 }, async () => {
    let connections = 0;
    const server = net.createServer(() => connections++).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const log = await logOf(NativeClient, server.address().port, { agent });
    assert.deepEqual(
      log.map(([what]) => what),
      ['error', 'close']
    );
    assert.equal(codeOf(log), 'ERR_AGENT_UNSUPPORTED');
    assert.equal(log[1][1], 1006);
    assert.equal(connections, 0);
    server.close();
  });
}

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

test('lookup, family and localAddress of an agent', { timeout: 20_000 }, async () => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  server.on('connection', (s, request) => s.send(request.socket.remoteAddress));
  await once(server, 'listening');
  for (const Client of [BaileysClient, NativeClient]) {
    const asked = [];
    const lookup = (host, options, done) => {
      asked.push(host);
      done(null, options.all ? [{ address: '127.0.0.1', family: 4 }] : '127.0.0.1', 4);
    };
    const agent = new http.Agent({ lookup, localAddress: '127.0.0.3' });
    const socket = new Client(`ws://some.name.test:${server.address().port}/`, { agent });
    socket.on('error', () => {});
    const answer = once(socket, 'message');
    socket.connect();
    assert.equal(String((await answer)[0]), '127.0.0.3');
    assert.deepEqual(asked, ['some.name.test']);
    await socket.close();
    agent.destroy();
  }
  server.close();
});

after(() => https.globalAgent.destroy());
