// The errors of a NativeSession that cannot connect. They equal those of a socket, and decide whether it connects again.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import test from 'node:test';
import { createSession, linkedCredentials, next, startServer } from '../support/native-session.mjs';
import { socksProxy } from '../support/proxies.mjs';
import { socksAgents } from '../support/proxy-agents.mjs';
import { UNKNOWN_NAME, replaceResolver } from '../support/resolver.mjs';
import { closeAfter } from '../support/resources.mjs';

const options = { timeout: 60_000 };

/** A port on which nothing listens. */
async function closedPort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  await new Promise(resolve => server.close(resolve));
  return port;
}

/** The error of a promise. */
const errorOf = promise =>
  promise.then(
    () => assert.fail('expected an error'),
    error => error
  );

test('a refused connection has errno, code, syscall, address and port as Node gives them', options, async t => {
  const port = await closedPort();
  const [expected] = await once(net.connect(port, '127.0.0.1'), 'error').catch(error => [error]);
  const session = createSession(t, { url: `ws://127.0.0.1:${port}` }, { agent: undefined, reconnect: false });
  const closed = next(session, 'close');
  const error = await errorOf(session.connect());
  const [reason] = await closed;
  assert.deepEqual([error.code, error.statusCode, error.reason], ['ERR_SESSION_ENDED', 408, 'transport']);
  for (const cause of [error.cause, reason.cause]) {
    assert.ok(cause instanceof Error);
    for (const name of ['message', 'code', 'errno', 'syscall', 'address', 'port'])
      assert.equal(cause[name], expected[name]);
  }
  const message = `WebSocket Error (${expected.message})`;
  assert.deepEqual({ ...reason }, { kind: 'transport', code: 408, message, errorCode: 'ECONNREFUSED' });
});

test('a name that cannot be resolved has the error of dns.lookup', options, async t => {
  const expected = await replaceResolver(t);
  const url = `ws://${UNKNOWN_NAME}:1`;
  const session = createSession(t, { url }, { agent: undefined, reconnect: false });
  const { cause } = await errorOf(session.connect());
  assert.equal(cause.message, expected.message);
  assert.deepEqual({ ...cause }, { ...expected });
});

test('an untrusted certificate ends the session, unless its policy allows a reconnection', options, async t => {
  const server = await startServer(t, { tls: true });
  const attempt = (agent, reconnect) => createSession(t, server, { agent, creds: linkedCredentials(), reconnect });
  const session = attempt(undefined, { baseMs: 20, maxMs: 50 });
  session.on('reconnecting', () => assert.fail('it must not try again'));
  const closed = next(session, 'close');
  const error = await errorOf(session.connect());
  const [reason] = await closed;
  assert.deepEqual([reason.kind, reason.code], ['transport', 400]);
  assert.equal(reason.errorCode, 'SELF_SIGNED_CERT_IN_CHAIN');
  assert.equal(error.cause.code, reason.errorCode);

  const stubborn = attempt(undefined, { baseMs: 20, maxMs: 50, classes: { 400: 'backoff' } });
  const again = next(stubborn, 'reconnecting');
  stubborn.connect().catch(() => {});
  const [{ attempt: number, reason: first }] = await again;
  assert.deepEqual([number, first.errorCode], [1, reason.errorCode]);
});

test('an invalid option ends the session', options, async t => {
  const server = await startServer(t, { tls: true });
  const { Agent } = await import('node:https');
  const session = createSession(t, server, { agent: new Agent({ ca: 'not a certificate' }) });
  const closed = next(session, 'close');
  await errorOf(session.connect());
  const [reason] = await closed;
  assert.deepEqual([reason.kind, reason.code, reason.errorCode], ['transport', 400, 'ERR_TLS_OPTION']);
});

for (const [scheme, version] of [
  ['socks4', 4],
  ['socks5', 5]
]) {
  test(`${scheme}: the session resolves the target's name and sends the address to the proxy`, options, async t => {
    const server = await startServer(t, { acceptUnknown: true });
    const proxy = closeAfter(t, await socksProxy());
    const { port } = new URL(server.url);
    const session = createSession(
      t,
      { url: `ws://localhost:${port}`, rootKey: server.rootKey },
      {
        creds: linkedCredentials(),
        agent: socksAgents['socks-proxy-agent 10'](`${scheme}://127.0.0.1:${proxy.port}`)
      }
    );
    await session.connect();
    assert.equal(session.state, 'connected');
    assert.deepEqual(proxy.requests, [`${version} @address:127.0.0.1:${port}`]);
  });
}

test('an expired Noise certificate ends the session without a reconnection', options, async t => {
  const server = await startServer(t, { acceptUnknown: true, faults: { certificate: 'expired' } });
  const session = createSession(t, server, { creds: linkedCredentials() });
  session.on('qr', () => assert.fail('it must not go on to pairing'));
  const closed = next(session, 'close');
  await errorOf(session.connect());
  const [{ kind, code, message }] = await closed;
  assert.deepEqual([kind, code, message], ['handshake', 400, 'noise certificate is expired or not valid yet']);
});
