// Sessions on a mock server, for the tests of NativeSession.

import { once } from 'node:events';
import { Agent } from 'node:https';
import * as baileys from 'baileys';
import { NativeSession } from 'baileys-native';
import { MockServer } from 'baileys-native/testing';

/** Time limit for each event in a test, in milliseconds. */
export const PATIENCE = 15_000;

/** Starts a server that ends with the test. */
export async function startServer(t, options) {
  const server = await MockServer.start({ tls: false, ...options });
  t.after(() => server.stop());
  return server;
}

/** Creates a disconnected session for a new device. It is closed with the test. */
export function createSession(t, server, { creds = baileys.initAuthCreds(), ...options } = {}) {
  const session = new NativeSession({
    url: server.url,
    agent: server.ca ? new Agent({ ca: server.ca }) : undefined,
    trustedRoot: server.rootKey,
    auth: { creds },
    reconnect: { baseMs: 20, maxMs: 50 },
    ...options
  });
  t.after(() => session.close());
  return session;
}

/** Waits for an event; resolves with its arguments. */
export const next = (session, event) => once(session, event, { signal: AbortSignal.timeout(PATIENCE) });

/** Resolves with the first arguments of `event` that the predicate accepts. */
export function nextWhere(session, event, predicate) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => finish(reject, new Error(`no such ${event} in time`)), PATIENCE);
    const listener = (...args) => predicate(...args) && finish(resolve, args);
    const finish = (settle, value) => {
      clearTimeout(timer);
      session.off(event, listener);
      settle(value);
    };
    session.on(event, listener);
  });
}

/** Credentials of a linked device, without pairing. */
export function linkedCredentials(user = '15550000001') {
  return {
    ...baileys.initAuthCreds(),
    me: { id: `${user}:1@s.whatsapp.net`, name: 'Mock user', lid: '100000000000001:1@lid' },
    accountSyncCounter: 1
  };
}

/** Logs a session in. Resolves with it and the server's side of its connection. */
export async function openSession(t, options = {}, serverOptions = {}) {
  const server = await startServer(t, { acceptUnknown: true, ...serverOptions });
  const session = createSession(t, server, { creds: linkedCredentials(), ...options });
  await session.connect({ signal: AbortSignal.timeout(PATIENCE) });
  return { server, session, connection: server.connections[server.connections.length - 1] };
}

export const iq = (attrs = {}) => ({
  tag: 'iq',
  attrs: { to: 's.whatsapp.net', type: 'get', xmlns: 'w:p', ...attrs },
  content: [{ tag: 'ping', attrs: {} }]
});

/** A stanza with a number, for floods. */
export const numbered = n => ({ tag: 'message', attrs: { id: `M${n}`, n: String(n) } });

/** Whole numbers below `count`. */
export const upTo = count => Array.from({ length: count }, (_, n) => n);

/** Waits until a condition holds, which something else brings about. */
export async function until(condition, { every = 20 } = {}) {
  const end = Date.now() + PATIENCE;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`it does not come to ${condition}`);
    await new Promise(resolve => setTimeout(resolve, every));
  }
}
