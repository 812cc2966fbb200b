// The options of NativeSession: accepted ones, and errors for others.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Agent } from 'node:http';
import test from 'node:test';
import { ConnectLimiter, NativeSession } from 'baileys-native';
import { createSession, linkedCredentials, startServer } from '../support/native-session.mjs';

const options = { timeout: 60_000 };

/** Every option that is documented, with a value that is not its default. */
const ALL = {
  auth: { creds: linkedCredentials() },
  url: 'ws://127.0.0.1:9',
  agent: new Agent(),
  headers: { 'x-name': 'value' },
  trustedRoot: Buffer.alloc(32, 1),
  logger: { level: 'silent', trace() {}, debug() {}, info() {}, warn() {} },
  version: [2, 3000, 1],
  browser: ['Linux', 'Chrome', '1'],
  countryCode: 'DE',
  pushName: 'Ada',
  syncFullHistory: true,
  activate: false,
  offlineBatch: 0,
  resume: true,
  knownServer: { key: Buffer.alloc(32, 1).toString('base64'), notBefore: 1, notAfter: 2 },
  tcpKeepAliveMs: 1_000,
  connectTimeoutMs: 1_000,
  closeTimeoutMs: 1_000,
  keepAliveIntervalMs: 1_000,
  keepAliveGraceMs: 0,
  socketPingIntervalMs: 0,
  queryTimeoutMs: 0,
  maxQueries: 1,
  firstQrTimeoutMs: 1_000,
  qrTimeoutMs: 1_000,
  outgoing: { stanzas: 1, bytes: 1, limit: 1 },
  incoming: { stanzas: 1, bytes: 1 },
  reconnect: { baseMs: 1, maxMs: 1, attempts: 1, classes: { 500: 'backoff' } },
  connectLimiter: new ConnectLimiter({ perSecond: 1 })
};

/** The names of the members of an interface of index.d.ts, without members of nested objects. */
function documented(name) {
  const source = readFileSync(new URL('../../index.d.ts', import.meta.url), 'utf8');
  const body = source.split(`export interface ${name} {\n`)[1].split('\n}\n')[0];
  return [...body.matchAll(/^ {2}(\w+)\??:/gm)].map(([, member]) => member);
}

test('every documented option is accepted', () => {
  assert.deepEqual(Object.keys(ALL).sort(), documented('NativeSessionOptions').sort());
  assert.deepEqual(Object.keys(ALL.outgoing).sort(), documented('QueueBounds').sort());
  assert.equal(new NativeSession(ALL).state, 'disconnected');
  const { auth } = ALL;
  const undefinedAll = Object.fromEntries(Object.keys(ALL).map(name => [name, undefined]));
  assert.equal(new NativeSession({ ...undefinedAll, auth, unknown: undefined }).state, 'disconnected');
  assert.equal(new NativeSession({ auth: { ...auth, keys: {} }, reconnect: false }).state, 'disconnected');
});

test('an unknown option is refused with a suggestion', () => {
  const refused = (more, message) =>
    assert.throws(() => new NativeSession({ auth: ALL.auth, ...more }), { name: 'TypeError', message });
  const unknown = (name, meant) =>
    `NativeSession has no option ${name}${meant === undefined ? '' : `. Did you mean ${meant}?`}`;
  for (const [name, meant] of [
    ['waWebSocketUrl', 'url'],
    ['defaultQueryTimeoutMs', 'queryTimeoutMs'],
    ['qrTimeout', 'qrTimeoutMs'],
    ['options', 'headers'],
    ['creds', 'auth'],
    ['keepAliveInterval', 'keepAliveIntervalMs'],
    ['keepaliveIntervalMs', 'keepAliveIntervalMs'],
    ['browserMs', 'browser'],
    ['getMessage', undefined],
    ['toString', undefined],
    ['ms', undefined]
  ]) {
    refused({ [name]: 5 }, unknown(name, meant));
  }
  refused({ reconnect: { base: 5 } }, unknown('reconnect.base', 'reconnect.baseMs'));
  refused({ reconnect: { url: 5 } }, unknown('reconnect.url'));
  refused({ outgoing: { stanza: 5 } }, unknown('outgoing.stanza'));
  refused({ incoming: { Bytes: 5 } }, unknown('incoming.Bytes', 'incoming.bytes'));
});

test('the constructor refuses invalid options', options, async t => {
  const server = await startServer(t);
  for (const [wrong, type] of [
    [{ auth: {} }, TypeError],
    [{ trustedRoot: new SharedArrayBuffer(32) }, TypeError],
    [{ trustedRoot: 'text' }, TypeError],
    [{ logger: {} }, TypeError],
    [{ version: [2, 3000] }, TypeError],
    [{ version: [2, 3000, 1.5] }, TypeError],
    [{ browser: 'Chrome' }, TypeError],
    [{ resume: 'yes' }, TypeError],
    [{ maxQueries: -1 }, TypeError],
    [{ incoming: { stanzas: -1 } }, TypeError],
    [{ outgoing: { bytes: 'many' } }, TypeError],
    [{ keepAliveIntervalMs: 0 }, RangeError],
    [{ connectTimeoutMs: NaN }, RangeError],
    [{ reconnect: true }, TypeError],
    [{ reconnect: { baseMs: -1 } }, RangeError],
    [{ reconnect: { classes: { 500: 'never' } } }, TypeError],
    [{ reconnect: { classes: { many: 'final' } } }, TypeError]
  ]) {
    assert.throws(() => createSession(t, server, wrong), type, JSON.stringify(wrong));
  }
  const all = { pushName: 'Ada', syncFullHistory: false, activate: false, offlineBatch: 0, maxQueries: 1 };
  const session = createSession(t, server, { ...all, outgoing: { limit: 1024 }, reconnect: { attempts: 0, maxMs: 5 } });
  assert.equal(session.state, 'disconnected');
});
