/** Proxies for a whole process: environment variables, `global-agent`, `@openclaw/proxyline`. Also all proxies with NativeSession. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { createSession, linkedCredentials, next, startServer } from '../support/native-session.mjs';
import { httpProxy, socksProxy } from '../support/proxies.mjs';
import { httpAgents, httpsAgents, socksAgents } from '../support/proxy-agents.mjs';
import { closeAfter } from '../support/resources.mjs';
import { greetingServer, logOf, testThroughProxy } from '../support/proxy-scenarios.mjs';
import { NativeClient } from '../support/socket-log.mjs';
import { certificate } from '../support/tls.mjs';

const require = createRequire(import.meta.url);
/** Its main module loads undici, which needs a later version of Node than this package. */
const PROXYLINE = new URL('../../node_modules/@openclaw/proxyline/dist/node-http.js', import.meta.url);
const { createAmbientNodeProxyAgent } = await import(PROXYLINE.href);

const BOUND = { timeout: 60_000 };

let plain;
let secure;
before(async () => {
  plain = await greetingServer();
  secure = await greetingServer(await certificate());
});
after(() => {
  plain.close();
  secure.close();
  http.globalAgent.destroy?.();
});

const opened = ({ log }) =>
  assert.ok(
    log.some(([event]) => event === 'message'),
    JSON.stringify(log)
  );

/** Sets variables for the time of a function. */
async function withEnvironment(values, act) {
  const before = Object.keys(values).map(name => [name, process.env[name]]);
  Object.assign(process.env, values);
  try {
    return await act();
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}

// --- the environment

/** All proxy variables, empty. */
const EMPTY = Object.fromEntries(
  ['http_proxy', 'https_proxy', 'all_proxy', 'no_proxy'].flatMap(name => [
    [name, ''],
    [name.toUpperCase(), '']
  ])
);

test('BAILEYS_NATIVE_PROXY=env uses the proxy variables and NO_PROXY', BOUND, async t => {
  for (const [variable, scheme, start] of [
    ['HTTP_PROXY', 'http', () => httpProxy()],
    ['http_proxy', 'http', () => httpProxy({ credentials: 'user:p@ss' })],
    ['ALL_PROXY', 'socks5h', () => socksProxy()],
    ['all_proxy', 'socks5', () => socksProxy()]
  ]) {
    const proxy = closeAfter(t, await start());
    const credentials = variable === 'http_proxy' ? 'user:p%40ss@' : '';
    const values = {
      ...EMPTY,
      BAILEYS_NATIVE_PROXY: 'env',
      [variable]: `${scheme}://${credentials}127.0.0.1:${proxy.port}`
    };
    await withEnvironment(values, async () => {
      opened({ log: await logOf(NativeClient, `ws://127.0.0.1:${plain.port}/`, {}) });
      assert.equal(proxy.requests.length, 1, variable);
      // An agent and NO_PROXY have priority over the proxy variables.
      opened({ log: await logOf(NativeClient, `ws://127.0.0.1:${plain.port}/`, { agent: new http.Agent() }) });
      for (const list of ['*', '127.0.0.1', `127.0.0.1:${plain.port}`, 'other, 127.0.0.1', '127.0.0.0-127.0.0.9']) {
        await withEnvironment({ NO_PROXY: list }, async () =>
          opened({ log: await logOf(NativeClient, `ws://127.0.0.1:${plain.port}/`, {}) })
        );
      }
      assert.equal(proxy.requests.length, 1, variable);
    });
    // Without BAILEYS_NATIVE_PROXY the variables have no effect.
    await withEnvironment({ ...values, BAILEYS_NATIVE_PROXY: '' }, async () =>
      opened({ log: await logOf(NativeClient, `ws://127.0.0.1:${plain.port}/`, {}) })
    );
    assert.equal(proxy.requests.length, 1, variable);
  }
});

test('BAILEYS_NATIVE_PROXY=env: no connection is made if the proxy is invalid', BOUND, async t => {
  let connections = 0;
  const target = closeAfter(t, net.createServer(() => connections++).listen(0, '127.0.0.1'));
  await once(target, 'listening');
  for (const url of ['nonsense', 'ftp://127.0.0.1:1', 'http://user:secret@[', 'http://127.0.0.1:1']) {
    await withEnvironment({ ...EMPTY, BAILEYS_NATIVE_PROXY: 'env', HTTP_PROXY: url }, async () => {
      const log = await logOf(NativeClient, `ws://127.0.0.1:${target.address().port}/`, {});
      const [, { code, message }] = log.find(([event]) => event === 'error');
      assert.equal(code, url.endsWith(':1') && url.startsWith('http:') ? 'ECONNREFUSED' : 'ERR_PROXY_INVALID_CONFIG');
      assert.ok(!message.includes('secret'));
    });
  }
  assert.equal(connections, 0);
});

test('NO_PROXY is read as Node reads it', () => {
  const { environmentProxy } = require('../../js/connect/environment-proxy.cjs');
  const cases = [
    ['web.whatsapp.com', 'web.whatsapp.com', true],
    ['WEB.whatsapp.com', 'web.WhatsApp.com', true],
    ['.whatsapp.com', 'web.whatsapp.com', true],
    ['.whatsapp.com', 'whatsapp.com', true],
    ['*.whatsapp.com', 'web.whatsapp.com', true],
    ['*.whatsapp.com', 'whatsapp.com', false],
    ['whatsapp.com', 'web.whatsapp.com', false],
    ['.whatsapp.com', 'notwhatsapp.com', false],
    ['web.whatsapp.com:443', 'web.whatsapp.com', true],
    ['web.whatsapp.com:80', 'web.whatsapp.com', false],
    ['10.0.0.1-10.0.0.9', '10.0.0.5', true],
    ['10.0.0.1-10.0.0.9', '10.0.1.5', false],
    [' , ', 'web.whatsapp.com', false]
  ];
  return withEnvironment({ ...EMPTY, BAILEYS_NATIVE_PROXY: 'env', HTTPS_PROXY: 'http://proxy.test:1' }, async () => {
    for (const [list, host, isExcepted] of cases) {
      process.env.NO_PROXY = list;
      const found = environmentProxy({ secure: true, host, port: 443, path: '/', authority: host });
      assert.equal(found, isExcepted ? undefined : 'http://proxy.test:1', `${list} for ${host}`);
    }
  });
});

// --- @openclaw/proxyline

for (const scheme of ['ws', 'wss']) {
  testThroughProxy(`CONNECT with @openclaw/proxyline, ${scheme}`, async compare => {
    const result = await compare({
      startProxy: () => httpProxy({ credentials: 'user:p@ss' }),
      makeAgent: port => {
        const url = `http://user:p%40ss@127.0.0.1:${port}`;
        const env = { HTTP_PROXY: url, HTTPS_PROXY: url };
        const agent = createAmbientNodeProxyAgent({ protocol: scheme === 'wss' ? 'https' : 'http', env });
        agent.options.rejectUnauthorized = false;
        return agent;
      },
      url: port => `${scheme}://localhost:${port}/ws?a=b`,
      target: scheme === 'wss' ? secure : plain
    });
    opened(result);
  });
}

// --- global-agent

for (const [label, load] of [
  ['global-agent 3', () => require('global-agent-3')],
  ['global-agent 4', () => require('global-agent')]
]) {
  testThroughProxy(`CONNECT with ${label}`, async compare => {
    const places = [http, https].flatMap(module =>
      ['request', 'get', 'globalAgent'].map(name => [module, name, module[name]])
    );
    const { createGlobalProxyAgent } = load();
    const controller = createGlobalProxyAgent();
    try {
      for (const [target, scheme] of [
        [plain, 'ws'],
        [secure, 'wss']
      ]) {
        process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
        const result = await compare({
          startProxy: () => httpProxy({ credentials: 'user:secret' }),
          makeAgent: port => {
            controller.HTTP_PROXY = `http://user:secret@127.0.0.1:${port}`;
            return undefined;
          },
          url: port => `${scheme}://localhost:${port}/ws?a=b`,
          target
        });
        opened(result);
        assert.equal(result.requests.length, 1);
        controller.NO_PROXY = 'localhost';
        opened({ log: await logOf(NativeClient, `${scheme}://localhost:${target.port}/`, {}) });
        controller.NO_PROXY = null;
      }
    } finally {
      delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
      for (const [module, name, value] of places) module[name] = value;
    }
  });
}

// --- NativeSession

for (const [label, make, scheme, start] of [
  ...Object.entries(httpsAgents).map(([label, make]) => [label, make, 'http', httpProxy]),
  ...Object.entries(socksAgents).flatMap(([label, make]) =>
    ['socks4', 'socks4a', 'socks5', 'socks5h'].map(scheme => [`${label}, ${scheme}`, make, scheme, socksProxy])
  ),
  ...Object.entries(httpAgents).map(([label, make]) => [label, make, 'http', httpProxy])
]) {
  test(`NativeSession through ${label}`, BOUND, async t => {
    const server = await startServer(t, { acceptUnknown: true });
    const proxy = closeAfter(t, await start());
    const { port, pathname } = new URL(server.url);
    const agent = make(`${scheme}://127.0.0.1:${proxy.port}`);
    const url = `ws://localhost:${port}${pathname}`;
    const session = createSession(t, { url, rootKey: server.rootKey }, { creds: linkedCredentials(), agent });
    await session.connect();
    assert.equal(proxy.requests.length, 1);
    assert.equal(session.state, 'connected');
  });
}

test('NativeSession uses the environment, and ends if a proxy refuses', BOUND, async t => {
  const server = await startServer(t, { acceptUnknown: true });
  const proxy = closeAfter(t, await httpProxy());
  await withEnvironment(
    { ...EMPTY, BAILEYS_NATIVE_PROXY: 'env', HTTP_PROXY: `http://127.0.0.1:${proxy.port}` },
    async () => {
      const session = createSession(t, server, { creds: linkedCredentials() });
      await session.connect();
      assert.equal(proxy.requests.length, 1);
      await session.close();
    }
  );
  const refusing = closeAfter(t, await httpProxy({ credentials: 'user:right' }));
  const agent = httpsAgents['https-proxy-agent 9'](`http://user:wrong@127.0.0.1:${refusing.port}`);
  const session = createSession(t, server, { creds: linkedCredentials(), agent, reconnect: false });
  const closed = next(session, 'close');
  await assert.rejects(session.connect());
  assert.equal((await closed)[0].code, 407);
});

test('a session uses a global-agent that was started after its first connection', BOUND, async t => {
  const server = await startServer(t, { acceptUnknown: true });
  const proxy = closeAfter(t, await httpProxy());
  const session = createSession(t, server, { creds: linkedCredentials() });
  await session.connect();
  const places = [http, https].flatMap(module =>
    ['request', 'get', 'globalAgent'].map(name => [module, name, module[name]])
  );
  t.after(() => {
    for (const [module, name, value] of places) module[name] = value;
  });
  const controller = require('global-agent').createGlobalProxyAgent();
  controller.HTTP_PROXY = `http://127.0.0.1:${proxy.port}`;
  const reconnected = new Promise(resolve => session.on('state', ({ to }) => to === 'connected' && resolve()));
  await server.connections.at(-1).streamError(503);
  await reconnected;
  assert.deepEqual([server.connections.length, proxy.requests.length], [2, 1]);
});

/** Replaces `net.Socket.prototype.connect` until the test ends, as a process-wide proxy does. */
function replaceConnect(t) {
  const { connect } = net.Socket.prototype;
  net.Socket.prototype.connect = function (...args) {
    return Reflect.apply(connect, this, args);
  };
  const restore = () => (net.Socket.prototype.connect = connect);
  t.after(restore);
  return restore;
}

for (const [when, replaceIn] of [
  ['before the connection ends', (session, replace) => replace()],
  ['after the reconnection was planned', (session, replace) => session.once('reconnecting', replace)]
]) {
  test(`NativeSession does not reconnect if a function of Node is replaced ${when}`, BOUND, async t => {
    const server = await startServer(t, { acceptUnknown: true });
    const session = createSession(t, server, { creds: linkedCredentials() });
    await session.connect();
    const opened = server.connections.length;
    const errors = [];
    session.on('error', error => errors.push(error.code));
    const closed = new Promise(resolve => session.once('close', resolve));
    let restore;
    replaceIn(session, () => (restore = replaceConnect(t)));
    await server.connections.at(-1).streamError(503);
    await closed;
    assert.deepEqual(errors, ['ERR_AGENT_UNSUPPORTED']);
    await assert.rejects(session.connect(), { code: 'ERR_AGENT_UNSUPPORTED' });
    assert.equal(server.connections.length, opened);
    restore();
    await session.connect();
    assert.equal(session.state, 'connected');
  });
}

test('NativeSession: connect() during a wait for reconnection checks the functions of Node', BOUND, async t => {
  const server = await startServer(t, { acceptUnknown: true });
  const session = createSession(t, server, { creds: linkedCredentials(), reconnect: { baseMs: 60_000 } });
  await session.connect();
  const opened = server.connections.length;
  const planned = new Promise(resolve => session.once('reconnecting', resolve));
  await server.connections.at(-1).streamError(503);
  const { cancel } = await planned;
  const restore = replaceConnect(t);
  await assert.rejects(session.connect(), { code: 'ERR_AGENT_UNSUPPORTED' });
  assert.equal(server.connections.length, opened);
  restore();
  const closed = new Promise(resolve => session.once('close', resolve));
  cancel();
  await closed;
});
