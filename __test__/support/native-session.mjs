// Sessions on a mock server, for the tests of NativeSession.

import { once } from 'node:events';
import { Agent } from 'node:https';
import * as baileys from 'baileys';
import { NativeSession } from 'baileys-native';
import { startMockServer } from './mock-server.mjs';
import { closeAfter } from './resources.mjs';
import { EVENT_TIMEOUT_MS, until } from './until.mjs';

export { EVENT_TIMEOUT_MS, until };

/** Starts a server without TLS. It is stopped with the test. */
export const startServer = (t, options) => startMockServer(t, { tls: false, ...options });

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
  return closeAfter(t, session);
}

/** Waits for an event; resolves with its arguments. */
export const next = (session, event) => once(session, event, { signal: AbortSignal.timeout(EVENT_TIMEOUT_MS) });

/** Resolves with the first arguments of `event` that the predicate accepts. */
export function nextWhere(emitter, event, predicate = () => true) {
  return new Promise((resolve, reject) => {
    // The timer does not keep the process alive after a test that has failed.
    const timer = setTimeout(() => finish(reject, new Error(`no such ${event} in time`)), EVENT_TIMEOUT_MS).unref();
    const listener = (...args) => predicate(...args) && finish(resolve, args);
    const finish = (settle, value) => {
      clearTimeout(timer);
      emitter.off(event, listener);
      settle(value);
    };
    emitter.on(event, listener);
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
  await session.connect({ signal: AbortSignal.timeout(EVENT_TIMEOUT_MS) });
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
