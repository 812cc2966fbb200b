/**
 * Proxies that refuse, misbehave or do not exist. The errors are those of Baileys' client, come in limited time and
 * contain no secrets. The same with NativeSession.
 */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { after, before, test } from 'node:test';
import { inspect } from 'node:util';
import { createSession, linkedCredentials, next, startServer } from '../support/native-session.mjs';
import { PROXY_NAME, httpProxy, socksProxy } from '../support/proxies.mjs';
import { httpAgents, httpsAgents, socksAgents } from '../support/proxy-agents.mjs';
import { UNKNOWN_NAME, replaceResolver } from '../support/resolver.mjs';
import { closeAfter } from '../support/resources.mjs';
import { endOfSession, greetingServer, logOf, statusOf, testThroughProxy } from '../support/proxy-scenarios.mjs';
import { BaileysClient, LINES, NativeClient, closeEvent, logEvents } from '../support/socket-log.mjs';
import { firstInTime } from '../support/time-limits.mjs';
import { certificate } from '../support/tls.mjs';

const BOUND = { timeout: 60_000 };
/** The connect timeout of Baileys in tests that wait for it, in milliseconds. */
const SHORT = 400;

let target;
before(async () => {
  target = await greetingServer();
});
after(() => target.close());

const url = port => `ws://${PROXY_NAME}:${port}/ws`;
const errorOf = log => log.find(([event]) => event === 'error')?.[1];

/** An address without a proxy. */
const noProxy = async () => ({ port: 0, requests: [], ports: new Set(), close() {} });

/** A proxy that answers a `CONNECT` with a text and, if `ends`, ends the connection. */
const answers = (text, { ends = true } = {}) =>
  httpProxy({ answer: client => (ends ? client.end(text) : client.write(text)) });

for (const [label, make] of Object.entries(httpsAgents)) {
  const makeAgent = port => make(`http://user:secret@127.0.0.1:${port}`);

  for (const [status, reason] of [
    [201, 'Created'],
    [403, 'Forbidden'],
    [407, 'Proxy Authentication Required'],
    [502, 'Bad Gateway']
  ]) {
    testThroughProxy(`the proxy answers ${status}, with ${label}`, async compare => {
      const text = `HTTP/1.1 ${status} ${reason}\r\nX-Why: not\r\nContent-Length: 2\r\n\r\nno`;
      const until = 'unexpected-response';
      const { log } = await compare({ startProxy: () => answers(text), makeAgent, url, target, until });
      assert.equal(log[0][2].statusCode, status);
    });
  }

  for (const [what, startProxy, code] of [
    ['the proxy answers without HTTP,', () => answers('SSH-2.0-x\r\n\r\n'), 'HPE_INVALID_CONSTANT'],
    ['the proxy answers with an invalid status,', () => answers('HTTP/1.1 abc\r\n\r\n'), 'HPE_INVALID_STATUS'],
    ['the proxy ends after status 200,', () => answers('HTTP/1.1 200 OK\r\n\r\n'), 'ECONNRESET'],
    ['the proxy resets the connection,', () => httpProxy({ answer: client => client.resetAndDestroy() }), 'ECONNRESET']
  ]) {
    testThroughProxy(`${what} with ${label}`, async compare => {
      const { log } = await compare({ startProxy, makeAgent, url, target });
      assert.equal(errorOf(log).code, code);
    });
  }

  test(`the proxy ends without a complete answer, with ${label}`, BOUND, async t => {
    for (const startProxy of [() => answers(''), () => answers('HTTP/1.1 200 OK\r\nVia')]) {
      const statuses = [];
      for (const Client of [BaileysClient, NativeClient]) {
        const proxy = closeAfter(t, await startProxy());
        const config = { agent: makeAgent(proxy.port), connectTimeoutMs: SHORT };
        statuses.push(statusOf(await logOf(Client, url(target.port), config)));
      }
      assert.equal(statuses[1], statuses[0]);
    }
  });

  testThroughProxy(`the proxy does not exist, with ${label}`, async (compare, t) => {
    const unknown = await replaceResolver(t);
    const unused = net.createServer().listen(0, '127.0.0.1');
    await once(unused, 'listening');
    const { port } = unused.address();
    unused.close();
    await once(unused, 'close');
    for (const [host, code] of [
      ['127.0.0.1', 'ECONNREFUSED'],
      [UNKNOWN_NAME, unknown.code]
    ]) {
      const makeAgent = () => make(`http://${host}:${port}`);
      const { log } = await compare({ startProxy: noProxy, makeAgent, url, target });
      assert.equal(errorOf(log).code, code);
      assert.equal(statusOf(log), 408);
    }
  });
}

testThroughProxy('TLS to a proxy with an untrusted certificate or without TLS', async (compare, t) => {
  const authority = await certificate({ isAuthority: true, names: [], addresses: [] });
  const wrongName = await certificate({ issuer: authority, names: ['other.test'], addresses: ['192.0.2.7'] });
  const good = await certificate({ issuer: authority });
  for (const [label, make] of Object.entries(httpsAgents)) {
    for (const [tls, options, code] of [
      [good, {}, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
      [wrongName, { ca: authority.cert }, 'ERR_TLS_CERT_ALTNAME_INVALID']
    ]) {
      const startProxy = () => httpProxy({ tls });
      const makeAgent = port => make(`https://localhost:${port}`, options);
      const { log, requests } = await compare({ startProxy, makeAgent, url, target });
      assert.equal(errorOf(log).code, code, label);
      assert.deepEqual(requests, []);
    }
    const logs = [];
    for (const Client of [BaileysClient, NativeClient]) {
      const proxy = closeAfter(t, await httpProxy());
      logs.push(await logOf(Client, url(target.port), { agent: make(`https://localhost:${proxy.port}`) }));
    }
    // OpenSSL's text contains memory addresses. Programs use the code.
    assert.deepEqual(...logs.map(log => [log.map(([event]) => event), errorOf(log).code]));
  }
});

for (const [label, make] of Object.entries(httpAgents)) {
  testThroughProxy(`the proxy refuses the credentials, with ${label}`, async compare => {
    const { log } = await compare({
      startProxy: () => httpProxy({ credentials: 'user:right' }),
      makeAgent: port => make(`http://user:wrong@127.0.0.1:${port}`),
      url,
      target,
      until: 'unexpected-response'
    });
    assert.equal(log[0][2].statusCode, 407);
  });
}

const SOCKS_FAILURES = [
  ['socks5h', { credentials: 'user:right' }, /^Socks5 Authentication failed$/],
  ['socks4a', { credentials: 'right' }, /\(RejectedIdent\)$/],
  ['socks5h', { greeting: Buffer.of(5, 255) }, /no accepted authentication type/],
  ['socks5h', { greeting: Buffer.of(5, 9) }, /unknown authentication type/],
  ['socks5h', { greeting: Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n') }, /invalid socks version/],
  ['socks5h', { greeting: Buffer.alloc(0) }, /^Socket closed$/],
  ['socks5h', { answer: Buffer.of(5, 0, 0) }, /^Socket closed$/],
  ['socks4a', { answer: Buffer.of(0, 90, 0) }, /^Socket closed$/],
  ...[91, 92, 93, 7].map(reply => ['socks4a', { reply }, /^Socks4 Proxy rejected connection - \(\w+\)$/]),
  ...[1, 2, 3, 4, 5, 6, 7, 8, 99].map(reply => ['socks5h', { reply }, /^Socks5 proxy rejected connection - \w+$/])
];
for (const [label, make] of Object.entries(socksAgents)) {
  testThroughProxy(`the SOCKS proxy refuses, with ${label}`, async compare => {
    for (const [scheme, options, message] of SOCKS_FAILURES) {
      const { log } = await compare({
        startProxy: () => socksProxy(options),
        makeAgent: port => make(`${scheme}://user:wrong@127.0.0.1:${port}`),
        url,
        target
      });
      assert.match(errorOf(log).message, message);
      assert.equal(statusOf(log), 500);
    }
  });

  testThroughProxy(`the SOCKS proxy does not exist, with ${label}`, async (compare, t) => {
    const unknown = await replaceResolver(t);
    for (const [host, code] of [
      ['127.0.0.1', 'ECONNREFUSED'],
      [UNKNOWN_NAME, unknown.code]
    ]) {
      const makeAgent = () => make(`socks5h://${host}:1`);
      const { log, reason } = await compare({ startProxy: noProxy, makeAgent, url, target });
      assert.equal(statusOf(log), 500);
      assert.deepEqual([reason.code, reason.errorCode, reason.cause.code], [408, code, code]);
    }
  });

  testThroughProxy(`the target of a SOCKS proxy cannot be resolved, with ${label}`, async (compare, t) => {
    const unknown = await replaceResolver(t);
    const { log, requests } = await compare({
      startProxy: () => socksProxy(),
      makeAgent: port => make(`socks5://127.0.0.1:${port}`),
      url: port => `ws://${UNKNOWN_NAME}:${port}/`,
      target
    });
    assert.deepEqual([errorOf(log).code, requests], [unknown.code, []]);
  });
}

// --- cases in which Baileys' client, with most agents, waits forever

/**
 * How a connection fails on each of our layers: the message of the error, and the status code for the program.
 *
 * @type {Record<string, (config: { agent: object, connectTimeoutMs: number }) => Promise<[string, number]>>}
 */
const LAYERS = {
  async socket(config) {
    const log = await logOf(NativeClient, url(target.port), config);
    return [errorOf(log).message, statusOf(log)];
  },
  async session(config) {
    const { reason } = await endOfSession(url(target.port), config);
    // The timeouts of one step and of the whole opening are equal, so either can be first.
    return [reason.kind === 'timedOut' ? TIMED_OUT[0] : reason.cause.message, reason.code];
  }
};

/** Declares a test that both layers fail with the same message and status code. Each connection has a new proxy. */
const onBothLayers = (name, cases) =>
  test(name, BOUND, async t => {
    for (const [startProxy, make, scheme, ...same] of cases) {
      for (const [layer, fail] of Object.entries(LAYERS)) {
        const proxy = closeAfter(t, await startProxy());
        const agent = make(`${scheme}://127.0.0.1:${proxy.port}`);
        assert.deepEqual(await fail({ agent, connectTimeoutMs: SHORT }), same, `${layer}, ${scheme}`);
      }
    }
  });

const HTTPS_AGENT = httpsAgents['https-proxy-agent 9'];
const TIMED_OUT = ['Opening handshake has timed out', 408];

onBothLayers('a proxy that does not answer is given up in time', [
  ...Object.values(httpsAgents).map(make => [() => httpProxy({ answer: () => {} }), make, 'http', ...TIMED_OUT]),
  ...Object.values(socksAgents).flatMap(make =>
    ['socks4a', 'socks5h'].map(scheme => [() => socksProxy({ silent: true }), make, scheme, ...TIMED_OUT])
  ),
  [() => socksProxy({ silent: true }), HTTPS_AGENT, 'https', ...TIMED_OUT]
]);

const drip = client => {
  client.write('HTTP/1.1 200 OK\r\nX: ');
  const timer = setInterval(() => client.write('a'), SHORT / 8);
  client.on('close', () => clearInterval(timer));
};
const flood = client => client.write(`HTTP/1.1 200 OK\r\nX: ${'a'.repeat(100_000)}`);

test('a proxy that refuses ends the connection', BOUND, async t => {
  const proxy = closeAfter(t, await answers('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n'));
  const agent = HTTPS_AGENT(`http://127.0.0.1:${proxy.port}`);
  const log = await firstInTime(
    connectTimeoutMs => logOf(NativeClient, url(target.port), { agent, connectTimeoutMs }),
    ([[event]]) => event === 'unexpected-response',
    1_000
  );
  assert.deepEqual([log.map(([event]) => event), statusOf(log)], [['unexpected-response', 'error', 'close'], 408]);
  const { reason } = await endOfSession(url(target.port), { agent });
  assert.deepEqual([reason.cause.message, reason.code], ['Unexpected server response: 407', 407]);
});

test('an endless answer of a proxy is limited in time and size', BOUND, async t => {
  for (const [answer, message, connectTimeoutMs] of [
    [drip, TIMED_OUT[0], SHORT],
    [flood, 'Parse Error: Header overflow', 30_000]
  ]) {
    const proxy = closeAfter(t, await httpProxy({ answer }));
    const agent = HTTPS_AGENT(`http://127.0.0.1:${proxy.port}`);
    for (const [layer, fail] of Object.entries(LAYERS)) {
      const [text] = await fail({ agent, connectTimeoutMs });
      assert.equal(text, message, layer);
    }
  }
});

testThroughProxy('the timeout of a SOCKS agent', async compare => {
  const { log } = await compare({
    startProxy: () => socksProxy({ silent: true }),
    makeAgent: port => socksAgents['socks-proxy-agent 10'](`socks5h://127.0.0.1:${port}`, { timeout: SHORT }),
    url,
    target
  });
  assert.deepEqual([errorOf(log).message, statusOf(log)], ['Proxy connection timed out', 408]);
});

test('close() while the proxy has not answered', BOUND, async t => {
  for (const [startProxy, make, scheme] of [
    [() => httpProxy({ answer: () => {} }), httpsAgents['https-proxy-agent 9'], 'http'],
    [() => socksProxy({ silent: true }), socksAgents['socks-proxy-agent 10'], 'socks5']
  ]) {
    const ends = [];
    for (const Client of [BaileysClient, NativeClient]) {
      const proxy = closeAfter(t, await startProxy());
      const client = new Client(url(target.port).replace(PROXY_NAME, '127.0.0.1'), {
        agent: make(`${scheme}://127.0.0.1:${proxy.port}`)
      });
      const error = once(client, 'error');
      const closed = new Promise(resolve => client.once('close', resolve));
      client.connect();
      const closing = client.close();
      ends.push([(await error)[0].message, await closed]);
      await closing;
    }
    assert.deepEqual(ends[1], ends[0]);
  }
});

// --- proxies that end during a connection

for (const [label, startProxy, make, scheme] of [
  ['HTTP', () => httpProxy(), HTTPS_AGENT, 'http'],
  ['SOCKS 4', () => socksProxy(), socksAgents['socks-proxy-agent 10'], 'socks4a'],
  ['SOCKS 5', () => socksProxy(), socksAgents['socks-proxy-agent 10'], 'socks5h']
]) {
  test(`a proxy that ends an open connection: ${label}`, BOUND, async t => {
    for (const { Baileys, Native, name } of LINES) {
      const logs = [];
      for (const Client of [Baileys, Native]) {
        const proxy = closeAfter(t, await startProxy());
        const agent = make(`${scheme}://127.0.0.1:${proxy.port}`);
        const client = new Client(url(target.port), { agent, connectTimeoutMs: 30_000 });
        const log = logEvents(client);
        const closed = closeEvent(client);
        client.once('message', () => proxy.close());
        client.connect();
        await closed;
        logs.push(log);
      }
      assert.deepEqual(logs[1], logs[0], name);
      assert.deepEqual(logs[1].at(-1).slice(0, 2), ['close', 1006]);
    }

    const server = await startServer(t, { acceptUnknown: true });
    const proxy = closeAfter(t, await startProxy());
    const agent = make(`${scheme}://127.0.0.1:${proxy.port}`);
    const session = createSession(t, server, { creds: linkedCredentials(), agent, reconnect: false });
    await session.connect();
    const closed = next(session, 'close');
    proxy.close();
    const [{ kind, code }] = await closed;
    assert.deepEqual([kind, code], ['transportClosed', 428]);
    // The proxy is not bypassed afterwards.
    await assert.rejects(session.connect(), { code: 'ERR_SESSION_ENDED', statusCode: 408 });
    assert.equal(server.connections.length, 1);
  });
}

// --- secrets

test('no error and no warning shows a password', BOUND, async t => {
  const shown = [];
  const onWarning = warning => shown.push(inspect(warning, { depth: 9, showHidden: true }));
  process.on('warning', onWarning);
  t.after(() => process.off('warning', onWarning));
  const secret = 'c0nf1dent1al';
  const encoded = Buffer.from(`user:${secret}`).toString('base64');
  const refusing = [
    [() => httpProxy({ credentials: 'a:b' }), Object.values(httpsAgents), 'http'],
    [() => answers('nonsense\r\n\r\n'), Object.values(httpsAgents), 'http'],
    [() => httpProxy({ answer: client => client.destroy() }), Object.values(httpsAgents), 'http'],
    [() => socksProxy({ credentials: 'a:b' }), Object.values(socksAgents), 'socks5h'],
    [() => socksProxy({ reply: 2 }), Object.values(socksAgents), 'socks4a'],
    [() => httpProxy(), [httpsAgents['proxy-agent 8']], 'pac+http'],
    [() => httpProxy(), [httpsAgents['proxy-agent 8']], 'ftp'],
    [() => httpProxy(), [() => httpsAgents['proxy-agent 8'](`http://user:${secret}@[nonsense`)], 'http'],
    [() => httpProxy(), [() => httpsAgents['proxy-agent 8'](`http://user:${secret}%@127.0.0.1:1`)], 'http']
  ];
  for (const [startProxy, makes, scheme] of refusing) {
    for (const make of makes) {
      const proxy = closeAfter(t, await startProxy());
      const agent = make(`${scheme}://user:${secret}@127.0.0.1:${proxy.port}`);
      const client = new NativeClient(url(target.port), { agent, connectTimeoutMs: SHORT });
      client.on('error', error => shown.push(inspect(error, { depth: 9, showHidden: true }), String(error.stack)));
      const closed = new Promise(resolve => client.once('close', resolve));
      client.connect();
      await closed;
    }
  }
  assert.ok(shown.length > 30);
  for (const text of shown) {
    assert.ok(!text.includes(secret) && !text.includes(encoded), text);
  }
});
