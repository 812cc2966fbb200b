// How a NativeSession finds its server: by the functions of Node and of its agent, again for each connection.

import assert from 'node:assert/strict';
import dns from 'node:dns';
import { Agent } from 'node:http';
import { test } from 'node:test';
import { createSession, linkedCredentials, next, startServer, until } from '../support/native-session.mjs';
import { httpProxy, socksProxy } from '../support/proxies.mjs';
import { ProxyAgent8, SocksProxyAgent10 } from '../support/proxy-agents.mjs';
import { closeAfter } from '../support/resources.mjs';

const options = { timeout: 60_000 };
const NAME = 'some.name.test';

/** A server, and its URL with a name that does not exist. */
async function namedServer(t) {
  const server = await startServer(t, { acceptUnknown: true });
  const url = new URL(server.url);
  url.hostname = NAME;
  return { server, named: { url: url.href, rootKey: server.rootKey } };
}

/** A function like `dns.lookup` that gives the address of this machine, and the list of its calls. */
function lookupOf(calls) {
  return (name, { all, family }, done) => {
    calls.push([name, family]);
    const address = '127.0.0.1';
    setImmediate(() => (all ? done(null, [{ address, family: 4 }]) : done(null, address, 4)));
  };
}

/** Replaces `dns.lookup` until the test ends. */
function replaceLookup(t, lookup) {
  const original = dns.lookup;
  dns.lookup = lookup;
  t.after(() => (dns.lookup = original));
}

const connected = async session => {
  await session.connect();
  assert.equal(session.state, 'connected');
};

test('a session uses lookup and family of its agent', options, async t => {
  const { named } = await namedServer(t);
  const calls = [];
  const agent = new Agent({ lookup: lookupOf(calls), family: 4 });
  await connected(createSession(t, named, { creds: linkedCredentials(), agent }));
  assert.deepEqual(calls, [[NAME, 4]]);
});

test('a session uses the lookup of a SOCKS agent for the name of the target', options, async t => {
  const { server, named } = await namedServer(t);
  const proxy = closeAfter(t, await socksProxy());
  const calls = [];
  const agent = new SocksProxyAgent10(`socks5://127.0.0.1:${proxy.port}`, { lookup: lookupOf(calls) });
  await connected(createSession(t, named, { creds: linkedCredentials(), agent }));
  assert.deepEqual(calls, [[NAME, undefined]]);
  assert.deepEqual(proxy.requests, [`5 @address:127.0.0.1:${new URL(server.url).port}`]);
});

test('a session uses a replaced dns.lookup, also after a lost connection', options, async t => {
  const { server, named } = await namedServer(t);
  const calls = [];
  replaceLookup(t, lookupOf(calls));
  const session = createSession(t, named, { creds: linkedCredentials() });
  await connected(session);
  const reconnected = new Promise(resolve => {
    session.on('state', ({ to }) => to === 'connected' && resolve());
  });
  await server.connections.at(-1).streamError(503);
  await reconnected;
  assert.deepEqual(calls, [
    [NAME, 0],
    [NAME, 0]
  ]);
});

test('sessions that connect at the same time share one lookup of a name', options, async t => {
  const { named } = await namedServer(t);
  const calls = [];
  const lookup = lookupOf(calls);
  let release;
  const released = new Promise(resolve => (release = resolve));
  replaceLookup(t, (...args) => released.then(() => lookup(...args)));
  // The headers are read when a session is created, and again for its connection, before its name is resolved.
  let reads = 0;
  const headers = {
    get 'x-count'() {
      reads++;
      return '1';
    }
  };
  const sessions = ['1', '2', '3'].map(n =>
    createSession(t, named, { creds: linkedCredentials(`1555000000${n}`), headers })
  );
  const perSession = reads / sessions.length;
  assert.ok(perSession >= 1);
  const connections = sessions.map(connected);
  await until(() => reads === 2 * perSession * sessions.length);
  release();
  await Promise.all(connections);
  assert.deepEqual(calls, [[NAME, 0]]);
});

test('a lookup that never answers ends with the connect timeout', options, async t => {
  const { named } = await namedServer(t);
  const agent = new Agent({ lookup() {} });
  const session = createSession(t, named, { agent, reconnect: false, connectTimeoutMs: 300 });
  await assert.rejects(session.connect(), { code: 'ERR_SESSION_ENDED', statusCode: 408 });
});

test('a lookup that gives no address is an error of the connection', options, async t => {
  const { named } = await namedServer(t);
  const agent = new Agent({ lookup: (name, how, done) => done(null, [{ address: 'nonsense', family: 4 }]) });
  const session = createSession(t, named, { agent, reconnect: false });
  const closed = next(session, 'close');
  await assert.rejects(session.connect(), { code: 'ERR_SESSION_ENDED', statusCode: 408 });
  const [{ kind, errorCode }] = await closed;
  assert.deepEqual([kind, errorCode], ['transport', 'ERR_INVALID_IP_ADDRESS']);
});

test('the agent chooses a proxy again for each connection', options, async t => {
  const server = await startServer(t, { acceptUnknown: true });
  const proxies = [closeAfter(t, await httpProxy()), closeAfter(t, await httpProxy())];
  let chosen = proxies[0];
  const agent = new ProxyAgent8({ getProxyForUrl: () => `http://127.0.0.1:${chosen.port}` });
  const session = createSession(t, server, { creds: linkedCredentials(), agent });
  await connected(session);
  chosen = proxies[1];
  const reconnected = new Promise(resolve => {
    session.on('state', ({ to }) => to === 'connected' && resolve());
  });
  await server.connections.at(-1).streamError(503);
  await reconnected;
  assert.deepEqual(
    proxies.map(({ requests }) => requests.length),
    [1, 1]
  );
});

test('a session ends if its agent is not supported any more', options, async t => {
  const server = await startServer(t, { acceptUnknown: true });
  const proxy = closeAfter(t, await httpProxy());
  let url = `http://127.0.0.1:${proxy.port}`;
  const agent = new ProxyAgent8({ getProxyForUrl: () => url });
  const session = createSession(t, server, { creds: linkedCredentials(), agent });
  await connected(session);
  url = 'ftp://127.0.0.1:1';
  const closed = next(session, 'close');
  await server.connections.at(-1).streamError(503);
  const [{ kind, code, cause }] = await closed;
  assert.deepEqual([kind, code, cause.code], ['transport', 400, 'ERR_AGENT_UNSUPPORTED']);
  assert.equal(server.connections.length, 1);
});
