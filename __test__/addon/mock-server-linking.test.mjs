// Linking and login on the mock server, with an unmodified Baileys 7.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import * as baileys from 'baileys';
import { parseQr } from '../../js/testing/index.mjs';
import {
  closed,
  connectionUpdate,
  login,
  openSocket,
  pair,
  ping,
  recordingLogger
} from '../support/baileys-client.mjs';
import { linkDevice, logInDevice, root, statusOf, trustRoot } from '../support/mock-clients.mjs';
import { startMockServer } from '../support/mock-server.mjs';

trustRoot();

describe('linking and logging in', () => {
  test('a device is linked by QR code, restarts and reaches open, without warnings', async t => {
    const contacted = [];
    const { connect } = net.Socket.prototype;
    t.mock.method(net.Socket.prototype, 'connect', function (...args) {
      const [{ host, port } = {}] = Array.isArray(args[0]) ? args[0] : args;
      contacted.push(`${host}:${port}`);
      return connect.apply(this, args);
    });
    t.mock.method(globalThis, 'fetch', url => {
      contacted.push(String(url));
      return Promise.reject(new Error('no network in this test'));
    });

    // After a pre-key upload Baileys' timeout of 30 s is still active and would keep this process alive.
    const { setTimeout: later } = globalThis;
    t.mock.method(globalThis, 'setTimeout', (action, delay, ...args) => {
      const timer = later(action, delay, ...args);
      return delay === 30_000 ? timer.unref() : timer;
    });

    const server = await startMockServer(t, { root });
    const events = [];
    server.on('connection', ({ id }) => events.push(`connection ${id}`));
    server.on('registered', ({ jid }) => events.push(`registered ${jid}`));
    server.on('login', ({ id }) => events.push(`login ${id}`));

    const folder = await mkdtemp(join(tmpdir(), 'mock-server-'));
    t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));
    const { state, saveCreds } = await baileys.useMultiFileAuthState(folder);
    const pairing = recordingLogger('warn');
    const auth = { ...state, apply: update => Object.assign(state.creds, update) };
    await pair({
      baileys,
      server,
      auth,
      config: { logger: pairing },
      scan: qr =>
        server.scanQr(qr, { jid: '15550001234', lid: '200000000000001@lid', pushName: 'Ada', platform: 'smba' })
    });
    await saveCreds();
    assert.deepEqual(
      pairing.entries.map(({ message }) => message),
      ['stream errored out']
    );
    assert.deepEqual(state.creds.me, { id: '15550001234:1@s.whatsapp.net', name: 'Ada', lid: '200000000000001:1@lid' });
    assert.equal(state.creds.platform, 'smba');

    const saved = (await baileys.useMultiFileAuthState(folder)).state;
    const first = recordingLogger('warn');
    const sock = await login({
      baileys,
      server,
      auth: { ...saved, apply: update => Object.assign(saved.creds, update) },
      config: { logger: first }
    });
    await server.waitFor(({ connection, node }) => connection === 1 && node.attrs.type === 'available');
    await ping(sock);
    assert.deepEqual(first.entries, []);
    assert.deepEqual(events, ['connection 0', 'registered 15550001234:1@s.whatsapp.net', 'connection 1', 'login 1']);
    assert.deepEqual([...new Set(contacted)], [`127.0.0.1:${server.port}`]);

    const [device] = server.devices;
    assert.equal(device.preKeys.size, 812);
    assert.deepEqual(device.identityKey, Buffer.from(saved.creds.signedIdentityKey.public));
    assert.deepEqual(device.noiseKey, Buffer.from(saved.creds.noiseKey.public));
    assert.equal(device.registrationId, saved.creds.registrationId);
    assert.equal(device.signedPreKey.id, saved.creds.signedPreKey.keyId);

    const asked = server.connections[1].received.filter(({ node }) => node.tag === 'iq');
    const answered = new Set(server.connections[1].sent.map(({ node }) => node.attrs.id));
    assert.ok(asked.length >= 7);
    for (const { node } of asked) assert.ok(answered.has(node.attrs.id), JSON.stringify(node.attrs));
  });

  test('a second login with the same credentials reaches open', async t => {
    const { server, auth } = await logInDevice(t);
    const before = server.stanzas.length;
    await login({ baileys, server, auth });
    await server.waitFor(({ node }) => node.tag === 'success', { from: before });
  });

  test('plain ws:// serves without TLS', async t => {
    const { server, sock } = await logInDevice(t, { tls: false });
    assert.match(server.url, /^ws:\/\/127\.0\.0\.1:\d+\/ws\/chat$/);
    assert.equal(server.ca, undefined);
    await ping(sock);
  });

  test('an unlinked device is refused, unless the server accepts every device', async t => {
    const { auth } = await linkDevice(t);

    const strict = await startMockServer(t, { root });
    assert.equal(
      statusOf(await closed(openSocket({ baileys, server: strict, auth }))),
      baileys.DisconnectReason.loggedOut
    );
    const open = await startMockServer(t, { root, acceptUnknown: true, preKeyCount: 100 });
    const logger = recordingLogger('warn');
    const sock = await login({ baileys, server: open, auth, config: { logger } });
    await ping(sock);
    assert.deepEqual(logger.entries, []);
  });

  test('the first stanza may follow the handshake at once', async t => {
    const { server, sock } = await logInDevice(t, { greetingDelayMs: 0 });
    assert.equal(server.connections.length, 2);
    await ping(sock);
  });

  test('a second login of a device ends its first connection with a conflict', async t => {
    const { server, sock, auth } = await logInDevice(t);
    const first = closed(sock);
    await login({ baileys, server, auth });
    assert.equal(statusOf(await first), baileys.DisconnectReason.connectionReplaced);
  });

  test('logging out unlinks the device', async t => {
    const { server, sock, auth } = await logInDevice(t);
    const end = closed(sock);
    await sock.logout();
    assert.equal(statusOf(await end), baileys.DisconnectReason.loggedOut);
    await server.waitFor(({ direction, node }) => direction === 'in' && node.attrs.xmlns === 'md');
    assert.deepEqual(server.devices, []);
    assert.equal(statusOf(await closed(openSocket({ baileys, server, auth }))), 401);
  });

  test('an unknown or invalid QR text is refused', async t => {
    const server = await startMockServer(t, { root });
    const key = Buffer.alloc(32, 1).toString('base64');
    await assert.rejects(server.scanQr('hello'), /not a QR code/);
    await assert.rejects(server.scanQr(['2@ref', key, key, key].join(',')), /no client/);
  });

  test('a QR text with a changed secret does not link', async t => {
    const server = await startMockServer(t, { root });
    const sock = openSocket({ baileys, server });
    const end = closed(sock);
    const { qr } = await connectionUpdate(sock, update => update.qr);
    const fields = qr.split(',');
    fields[3] = Buffer.alloc(32, 9).toString('base64');
    await assert.rejects(server.scanQr(fields.join(',')), /closed/);
    assert.match((await end).message, /Invalid account signature/);
    assert.deepEqual(server.devices, []);
  });

  test('parseQr() reads a QR text with and without a platform', () => {
    const keys = [1, 2, 3].map(byte => Buffer.alloc(32, byte));
    const texts = keys.map(key => key.toString('base64'));
    const expected = { ref: '2@ref', noiseKey: keys[0], identityKey: keys[1], advSecret: keys[2] };
    assert.deepEqual(parseQr(['2@ref', ...texts].join(',')), { ...expected, platformId: undefined });
    assert.deepEqual(parseQr(baileys.buildPairingQRData('2@ref', ...texts, ['Mac OS', 'Chrome', '1'])), {
      ...expected,
      platformId: '1'
    });
  });

  test('the client sends the routing info of one login at the next login', async t => {
    const edgeRouting = Buffer.from([8, 13, 8, 5]);
    const { server, sock, auth, connection } = await logInDevice(t, { login: { edgeRouting } });
    assert.equal(connection.routingInfo, undefined);
    assert.deepEqual(auth.creds.routingInfo, edgeRouting);
    await sock.end(undefined);
    await login({ baileys, server, auth });
    assert.deepEqual(server.connections.at(-1).routingInfo, edgeRouting);
    assert.equal(server.connections.at(-1).header.toString('latin1', 0, 2), 'WA');
  });

  test('the client processes dirty bits and an offline preview', async t => {
    const { server } = await logInDevice(t, {
      login: { dirty: [{ type: 'groups', timestamp: 1 }], offlinePreview: { count: 0 }, offline: { count: 0 } }
    });
    await server.waitFor(({ direction, node }) => direction === 'in' && node.attrs.xmlns === 'w:g2');
    await server.waitFor(({ direction, node }) => direction === 'in' && node.attrs.xmlns === 'urn:xmpp:whatsapp:dirty');
    await server.waitFor(({ direction, node }) => direction === 'in' && node.content?.[0]?.tag === 'offline_batch');
  });
});
