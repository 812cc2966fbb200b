// A NativeSession with the mock server over TLS: pairs by QR, logs in, sends a query, loses its connection and resumes.

import assert from 'node:assert/strict';
import { Agent } from 'node:https';
import { initAuthCreds } from 'baileys';
import { NativeSession, metrics } from 'baileys-native';
import { MockServer } from 'baileys-native/testing';

const QUERY = { tag: 'iq', attrs: { to: 's.whatsapp.net', type: 'get', xmlns: 'w:p' } };

/** Time limit of a connection and of a query, in milliseconds. It is long enough for an emulator on a busy machine. */
const TIMEOUT_MS = 300_000;

const server = await MockServer.start();
const session = new NativeSession({
  url: server.url,
  agent: new Agent({ ca: server.ca }),
  trustedRoot: server.rootKey,
  auth: { creds: initAuthCreds() },
  reconnect: { baseMs: 20, maxMs: 100 },
  connectTimeoutMs: TIMEOUT_MS,
  queryTimeoutMs: TIMEOUT_MS
});
session.on('qr', qr => server.scanQr(qr, { jid: '15550001234', pushName: 'Session' }).catch(fail));
await session.connect();
console.log('paired and logged in');
assert.equal((await session.query(QUERY)).attrs.type, 'result');

const logins = server.connections.length;
const reconnected = new Promise(resolve => session.on('state', ({ to }) => to === 'connected' && resolve(to)));
server.connections.at(-1)?.drop();
await reconnected;
console.log('resumed');
assert.equal(server.connections.length, logins + 1);
assert.equal((await session.query(QUERY)).attrs.type, 'result');
assert.equal(metrics().sessions, 1);
await session.close();
await server.stop();
console.log('passed: paired, logged in, 2 queries, 1 resumption');

/** @param {Error} error */
function fail(error) {
  throw error;
}
