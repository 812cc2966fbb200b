// The mock server against unmodified Baileys 7, on Baileys' own JavaScript socket layer.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import Module from 'node:module';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as baileys from 'baileys';
import { MockServer, compressStanza, parseQr, result, sampleStanzas, trustTestRoot } from '../../js/testing/index.mjs';
import { NoiseAuthority } from '../../js/testing/certificate.mjs';
import { verifySignature } from '../../js/testing/xeddsa.mjs';
import {
  closed,
  connectionUpdate,
  login,
  memoryAuth,
  openSocket,
  pair,
  ping,
  recordingLogger
} from '../support/baileys-client.mjs';

const run = promisify(execFile);
const root = baileys.Curve.generateKeyPair();
const repository = fileURLToPath(new URL('../..', import.meta.url));

/** A linked device costs one pairing; most tests only need to log in. */
async function linked(options = {}) {
  const server = await MockServer.start({ root, preKeyCount: 100, ...options });
  const auth = await pair({ baileys, server, scan: qr => server.scanQr(qr) });
  return { server, auth };
}

/** A logged-in client and its connection on the server. */
async function online(options) {
  const { server, auth } = await linked(options);
  const sock = await login({ baileys, server, auth });
  const connection = server.connections.at(-1);
  const stop = async () => {
    await sock.end(undefined);
    await server.stop();
  };
  return { server, auth, sock, connection, stop };
}

const statusOf = error => error?.output?.statusCode;

let distrust;
before(() => {
  distrust = trustTestRoot(baileys, root.public);
});
after(() => distrust());

describe('linking and logging in', () => {
  test('a device is linked by QR code, restarts and reaches open, with nothing to complain about', async t => {
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

    // After a pre-key upload Baileys leaves its timeout of 30 s running, which would hold this process.
    const { setTimeout: later } = globalThis;
    t.mock.method(globalThis, 'setTimeout', (action, delay, ...args) => {
      const timer = later(action, delay, ...args);
      return delay === 30_000 ? timer.unref() : timer;
    });

    const server = await MockServer.start({ root });
    t.after(() => server.stop());
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
    t.after(() => sock.end(undefined));
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

  test('a further login with the same credentials opens again', async () => {
    const { server, auth, stop } = await online();
    const before = server.stanzas.length;
    const again = await login({ baileys, server, auth });
    await server.waitFor(({ node }) => node.tag === 'success', { from: before });
    await again.end(undefined);
    await stop();
  });

  test('plain ws:// serves without TLS', async () => {
    const { server, sock, stop } = await online({ tls: false });
    assert.match(server.url, /^ws:\/\/127\.0\.0\.1:\d+\/ws\/chat$/);
    assert.equal(server.ca, undefined);
    await ping(sock);
    await stop();
  });

  test('a device that was never linked is refused, unless the server takes anybody in', async () => {
    const { server, auth } = await linked();
    await server.stop();

    const strict = await MockServer.start({ root });
    assert.equal(
      statusOf(await closed(openSocket({ baileys, server: strict, auth }))),
      baileys.DisconnectReason.loggedOut
    );
    await strict.stop();

    const open = await MockServer.start({ root, acceptUnknown: true, preKeyCount: 100 });
    const logger = recordingLogger('warn');
    const sock = await login({ baileys, server: open, auth, config: { logger } });
    await ping(sock);
    assert.deepEqual(logger.entries, []);
    await sock.end(undefined);
    await open.stop();
  });

  test('the first stanza may follow the handshake at once', async () => {
    const { server, sock, stop } = await online({ greetingDelayMs: 0 });
    assert.equal(server.connections.length, 2);
    await ping(sock);
    await stop();
  });

  test('a device that logs in twice is told so on its first connection', async () => {
    const { server, sock, auth, stop } = await online();
    const first = closed(sock);
    const second = await login({ baileys, server, auth });
    assert.equal(statusOf(await first), baileys.DisconnectReason.connectionReplaced);
    await second.end(undefined);
    await stop();
  });

  test('logging out unlinks the device', async () => {
    const { server, sock, auth, stop } = await online();
    const end = closed(sock);
    await sock.logout();
    assert.equal(statusOf(await end), baileys.DisconnectReason.loggedOut);
    await server.waitFor(({ direction, node }) => direction === 'in' && node.attrs.xmlns === 'md');
    assert.deepEqual(server.devices, []);
    assert.equal(statusOf(await closed(openSocket({ baileys, server, auth }))), 401);
    await stop();
  });

  test('a pairing code that no client shows, or that is none, is refused', async t => {
    const server = await MockServer.start({ root });
    t.after(() => server.stop());
    const key = Buffer.alloc(32, 1).toString('base64');
    await assert.rejects(server.scanQr('hello'), /not a pairing code/);
    await assert.rejects(server.scanQr(['2@ref', key, key, key].join(',')), /no client/);
  });

  test('a pairing code in which the secret was changed does not link', async t => {
    const server = await MockServer.start({ root });
    t.after(() => server.stop());
    const sock = openSocket({ baileys, server });
    const end = closed(sock);
    const { qr } = await connectionUpdate(sock, update => update.qr);
    const fields = qr.split(',');
    fields[3] = Buffer.alloc(32, 9).toString('base64');
    await assert.rejects(server.scanQr(fields.join(',')), /closed/);
    assert.match((await end).message, /Invalid account signature/);
    assert.deepEqual(server.devices, []);
  });

  test('both forms of a pairing code are read', () => {
    const keys = [1, 2, 3].map(byte => Buffer.alloc(32, byte));
    const texts = keys.map(key => key.toString('base64'));
    const expected = { ref: '2@ref', noiseKey: keys[0], identityKey: keys[1], advSecret: keys[2] };
    assert.deepEqual(parseQr(['2@ref', ...texts].join(',')), { ...expected, platformId: undefined });
    assert.deepEqual(parseQr(baileys.buildPairingQRData('2@ref', ...texts, ['Mac OS', 'Chrome', '1'])), {
      ...expected,
      platformId: '1'
    });
  });

  test('routing info given at one login is presented at the next', async () => {
    const edgeRouting = Buffer.from([8, 13, 8, 5]);
    const { server, sock, auth, connection, stop } = await online({ login: { edgeRouting } });
    assert.equal(connection.routingInfo, undefined);
    assert.deepEqual(auth.creds.routingInfo, edgeRouting);
    await sock.end(undefined);
    const again = await login({ baileys, server, auth });
    assert.deepEqual(server.connections.at(-1).routingInfo, edgeRouting);
    assert.equal(server.connections.at(-1).header.toString('latin1', 0, 2), 'WA');
    await again.end(undefined);
    await stop();
  });

  test('dirty bits and an offline preview are worked off by the client', async () => {
    const { server, stop } = await online({
      login: { dirty: [{ type: 'groups', timestamp: 1 }], offlinePreview: { count: 0 }, offline: { count: 0 } }
    });
    await server.waitFor(({ direction, node }) => direction === 'in' && node.attrs.xmlns === 'w:g2');
    await server.waitFor(({ direction, node }) => direction === 'in' && node.attrs.xmlns === 'urn:xmpp:whatsapp:dirty');
    await server.waitFor(({ direction, node }) => direction === 'in' && node.content?.[0]?.tag === 'offline_batch');
    await stop();
  });
});

describe('traffic', () => {
  let client;
  before(async () => {
    client = await online();
  });
  after(() => client.stop());

  /** The ids of the next `count` stanzas with this tag. */
  const collect = (sock, tag, count) =>
    new Promise(resolve => {
      const ids = [];
      const listener = ({ attrs }) => {
        ids.push(attrs.id);
        if (ids.length < count) return;
        sock.ws.off(`CB:${tag}`, listener);
        resolve(ids);
      };
      sock.ws.on(`CB:${tag}`, listener);
    });

  test('a ping is answered, and so is a query that the server does not know', async () => {
    const { sock, server } = client;
    const pong = await ping(sock);
    assert.equal(pong.attrs.type, 'result');
    const before = server.stanzas.length;
    const answer = await sock.query({ tag: 'iq', attrs: { to: 's.whatsapp.net', type: 'get', xmlns: 'unheard-of' } });
    assert.equal(answer.attrs.type, 'result');
    const [asked, answered] = server.stanzas.slice(before);
    assert.deepEqual([asked.direction, asked.node.attrs.xmlns], ['in', 'unheard-of']);
    assert.deepEqual([answered.direction, answered.node.attrs.id], ['out', asked.node.attrs.id]);
    assert.ok(answered.time >= asked.time && Math.abs(answered.time - Date.now()) < 10_000);
  });

  for (const [name, options] of [
    ['one a message', {}],
    ['many a message', { perMessage: 64 }],
    ['compressed', { perMessage: 2000, compress: true }]
  ]) {
    test(`a flood of 2,000 stanzas arrives in order: ${name}`, async () => {
      const { sock, connection, server } = client;
      const before = server.stanzas.length;
      const flood = connection.prepareFlood(sampleStanzas.message, 2000, options);
      assert.equal(flood.count, 2000);
      assert.equal(flood.messages, Math.ceil(2000 / (options.perMessage ?? 1)));
      const arrived = collect(sock, 'relay', 2000);
      await flood.start();
      assert.equal(flood.state, 'sent');
      const expected = Array.from({ length: 2000 }, (_, index) => sampleStanzas.message(index).attrs.id);
      assert.deepEqual(await arrived, expected);
      const logged = server.stanzas.slice(before).filter(({ node }) => node.tag === 'relay');
      assert.deepEqual(
        logged.map(({ node }) => node.attrs.id),
        expected
      );
      await ping(sock);
    });
  }

  test('a compressed flood of single messages arrives whole', async () => {
    // Baileys inflates on the thread pool and may finish neighbouring messages in another order.
    const { sock, connection } = client;
    const arrived = collect(sock, 'ack', 2000);
    await connection.prepareFlood(sampleStanzas.ack, 2000, { compress: true }).start();
    const ids = await arrived;
    assert.deepEqual(
      [...ids].sort(),
      Array.from({ length: 2000 }, (_, index) => sampleStanzas.ack(index).attrs.id)
    );
  });

  test('a flood of receipts is answered with one ack each', async () => {
    const { connection, server } = client;
    const before = server.stanzas.length;
    await connection.prepareFlood(sampleStanzas.receipt, 50).start();
    await server.waitFor(({ node }) => node.tag === 'ack' && node.attrs.id === sampleStanzas.receipt(49).attrs.id, {
      from: before
    });
    const acks = server.stanzas.slice(before).filter(({ direction, node }) => direction === 'in' && node.tag === 'ack');
    assert.equal(acks.length, 50);
  });

  test('what is sent while a flood is prepared waits behind it', async () => {
    const { sock, connection } = client;
    const order = [];
    const listeners = ['relay', 'late'].map(tag => [`CB:${tag}`, () => order.push(tag)]);
    for (const [event, listener] of listeners) sock.ws.on(event, listener);
    const flood = connection.prepareFlood(sampleStanzas.message(0), 3);
    assert.throws(() => connection.prepareFlood(sampleStanzas.message(0), 1), /already prepared/);
    const late = collect(sock, 'late', 1);
    const sent = connection.send({ tag: 'late', attrs: { id: '1' } });
    await flood.start();
    await Promise.all([sent, late]);
    assert.deepEqual(order, ['relay', 'relay', 'relay', 'late']);
    await assert.rejects(flood.start(), /this flood is sent/);
    for (const [event, listener] of listeners) sock.ws.off(event, listener);
  });

  test('a cancelled flood leaves the connection as it was', async () => {
    const { sock, connection } = client;
    const flood = connection.prepareFlood(sampleStanzas.ack, 10);
    const answer = ping(sock);
    flood.cancel();
    assert.equal(flood.state, 'cancelled');
    assert.equal((await answer).attrs.type, 'result');
    assert.throws(() => flood.cancel(), /this flood is cancelled/);
    const broken = index => {
      if (index === 5) throw new Error('no fifth stanza');
      return sampleStanzas.ack(index);
    };
    assert.throws(() => connection.prepareFlood(broken, 10), /no fifth stanza/);
    assert.throws(() => connection.prepareFlood(sampleStanzas.ack, -1), RangeError);
    assert.throws(() => connection.prepareFlood([], 1), RangeError);
    await ping(sock);
  });

  test('500 stanzas from the client are logged in order', async () => {
    const { sock, server } = client;
    const before = server.stanzas.length;
    const sends = Array.from({ length: 500 }, (_, index) =>
      sock.sendNode({ tag: 'chatstate', attrs: { id: String(index), to: '15550001111@s.whatsapp.net' } })
    );
    await Promise.all(sends);
    await server.waitFor(({ node }) => node.tag === 'chatstate' && node.attrs.id === '499', { from: before });
    const ids = server.stanzas.slice(before).filter(({ node }) => node.tag === 'chatstate');
    assert.deepEqual(
      ids.map(({ node }) => node.attrs.id),
      Array.from({ length: 500 }, (_, index) => String(index))
    );
  });

  test('messages and receipts are acknowledged', async () => {
    const { sock } = client;
    const acks = collect(sock, 'ack', 2);
    await sock.sendNode({ tag: 'message', attrs: { id: 'M1', to: '15550001111@s.whatsapp.net', type: 'text' } });
    await sock.sendNode({ tag: 'receipt', attrs: { id: 'R1', to: '15550001111@s.whatsapp.net' } });
    assert.deepEqual(await acks, ['M1', 'R1']);
  });

  test('a handler answers in place of the server until it is removed', async () => {
    const { sock, server } = client;
    const props = { tag: 'iq', attrs: { to: 's.whatsapp.net', type: 'get', xmlns: 'x:props' } };
    const remove = server.handle({ tag: 'iq', xmlns: 'x:props' }, async node =>
      result(node, [{ tag: 'props', attrs: { a: '1' } }])
    );
    const passed = server.handle('iq', () => undefined);
    assert.deepEqual((await sock.query({ ...props })).content[0].attrs, { a: '1' });
    remove();
    passed();
    assert.equal((await sock.query({ tag: 'iq', attrs: { ...props.attrs, id: undefined } })).content, undefined);
  });

  test('the server can ask, send its own bytes, and ping the socket', async () => {
    const { sock, connection } = client;
    const raw = collect(sock, 'raw', 2);
    const encoded = baileys.encodeBinaryNode({ tag: 'raw', attrs: { id: 'plain' } });
    await connection.sendRaw(encoded);
    await connection.sendRaw(compressStanza(baileys.encodeBinaryNode({ tag: 'raw', attrs: { id: 'deflated' } })));
    assert.deepEqual(await raw, ['plain', 'deflated']);
    assert.equal((await connection.wsPing('are you there')).toString(), 'are you there');
  });
});

describe('endings', () => {
  const reasons = baileys.DisconnectReason;
  const removed = [{ tag: 'conflict', attrs: { type: 'device_removed' } }];
  for (const [name, end, status] of [
    ['stream error 503', connection => connection.streamError(503), reasons.unavailableService],
    ['stream error 515', connection => connection.streamError(515), reasons.restartRequired],
    ['stream error 401', connection => connection.streamError(401, { content: removed }), reasons.loggedOut],
    ['stream error without a code', connection => connection.streamError(), reasons.badSession],
    ['failure 403', connection => connection.failure(403), reasons.forbidden],
    ['the end of the stream', connection => connection.xmlStreamEnd(), reasons.connectionClosed],
    ['a WebSocket close', connection => connection.close(1001, 'going away'), reasons.connectionClosed],
    ['a cut connection', connection => connection.drop(), reasons.connectionClosed],
    ['a reset connection', connection => connection.drop({ reset: true }), [reasons.connectionClosed, reasons.timedOut]]
  ]) {
    test(name, async () => {
      const { sock, server, connection, stop } = await online();
      const ended = closed(sock);
      const gone = new Promise(resolve => server.on('close', resolve));
      await end(connection);
      assert.ok([status].flat().includes(statusOf(await ended)));
      assert.equal(await gone, connection);
      assert.equal(connection.state, 'closed');
      await assert.rejects(connection.send({ tag: 'ib', attrs: {} }), /closed/);
      await stop();
    });
  }

  test('a connection that closes during a flood fails the flood', async () => {
    const { connection, stop } = await online();
    const flood = connection.prepareFlood(sampleStanzas.message, 20_000);
    const started = flood.start();
    connection.drop();
    await assert.rejects(started);
    assert.equal(flood.state, 'failed');
    await stop();
  });
});

describe('faults', () => {
  let server;
  before(async () => {
    server = await MockServer.start({ root });
  });
  after(() => server.stop());

  for (const [name, faults, message] of [
    ['another issuer', { certificate: 'wrong-issuer' }, /certification match failed/],
    ['no leaf', { certificate: 'no-leaf' }, /invalid noise leaf certificate/],
    ['garbage for a handshake', { garbageHandshake: true }, /./],
    [
      'HTTP 503 on a connection that stays',
      { httpStatus: 503, httpHeaders: { Connection: 'keep-alive' } },
      /timed out/
    ],
    ['no answer to the upgrade', { stallUpgrade: true }, /timed out/],
    ['no answer to the handshake', { stallHandshake: true }, /Timed Out/]
  ]) {
    test(name, async () => {
      server.faults = faults;
      const error = await closed(openSocket({ baileys, server, config: { connectTimeoutMs: 500 } }));
      assert.match(error.message, message);
    });
  }

  test('an HTTP status instead of the upgrade reaches the socket', async () => {
    // Baileys listens for `unexpected-response`, so that `ws` leaves the rest to it; then it does nothing.
    server.faults = { httpStatus: 429, httpHeaders: { 'Retry-After': '1' } };
    const sock = openSocket({ baileys, server });
    const [, response] = await once(sock.ws, 'unexpected-response');
    assert.equal(response.statusCode, 429);
    assert.equal(response.headers['retry-after'], '1');
    await sock.ws.socket.terminate();
    await sock.end(undefined);
  });

  test('what Baileys does not check, it accepts', async () => {
    for (const certificate of ['wrong-root', 'tampered-leaf', 'tampered-intermediate', 'wrong-leaf-key', 'expired']) {
      server.faults = { certificate };
      const sock = openSocket({ baileys, server });
      const { qr } = await connectionUpdate(sock, update => update.qr);
      assert.ok(parseQr(qr).ref.startsWith('2@'));
      await sock.end(undefined);
    }
  });

  test('the chain is signed as it should be, and each fault breaks what it names', () => {
    const authority = new NoiseAuthority({ curve: baileys.Curve, proto: baileys.proto }, root);
    const { CertChain } = baileys.proto;
    const inspect = fault => {
      const { leaf, intermediate } = CertChain.decode(authority.chain(fault));
      const [issuer, subject] = [intermediate, leaf].map(({ details }) =>
        CertChain.NoiseCertificate.Details.toObject(CertChain.NoiseCertificate.Details.decode(details), {
          longs: Number
        })
      );
      return {
        root: verifySignature(root.public, intermediate.details, intermediate.signature),
        leaf: verifySignature(issuer.key, leaf.details, leaf.signature),
        issuer: issuer.issuerSerial === 0 && subject.issuerSerial === issuer.serial,
        key: authority.staticKeyPair.public.equals(subject.key),
        dates: [issuer, subject].every(({ notBefore, notAfter }) => {
          const now = Date.now() / 1000;
          return notBefore < now && now < notAfter;
        })
      };
    };
    const good = { root: true, leaf: true, issuer: true, key: true, dates: true };
    assert.deepEqual(inspect(), good);
    assert.deepEqual(inspect('wrong-root'), { ...good, root: false });
    assert.deepEqual(inspect('wrong-issuer'), { ...good, issuer: false });
    assert.deepEqual(inspect('wrong-leaf-key'), { ...good, key: false });
    assert.deepEqual(inspect('tampered-leaf'), { ...good, leaf: false });
    assert.deepEqual(inspect('tampered-intermediate'), { ...good, root: false });
    assert.deepEqual(inspect('expired'), { ...good, dates: false });
  });

  test('signatures are verified by the server itself', () => {
    for (let round = 0; round < 20; round++) {
      const pair = baileys.Curve.generateKeyPair();
      const message = Buffer.from(`message ${round}`);
      const signature = baileys.Curve.sign(pair.private, message);
      assert.ok(verifySignature(pair.public, message, signature));
      assert.ok(!verifySignature(root.public, message, signature));
      assert.ok(!verifySignature(pair.public, Buffer.from('another'), signature));
      assert.ok(!verifySignature(pair.public, message, signature.subarray(1)));
    }
  });

  test('answers can be held back', async () => {
    const delayed = await online();
    delayed.connection.faults.delayMs = 60;
    const started = performance.now();
    await ping(delayed.sock);
    assert.ok(performance.now() - started >= 55);
    await delayed.stop();
  });

  test('a fault that does not exist is refused', async () => {
    assert.throws(() => (server.faults = { certificate: 'none' }), /no such certificate fault/);
    await assert.rejects(MockServer.start({ faults: { certificate: 'none' } }), /no such certificate fault/);
  });

  test('a client without TLS trust does not get in', async () => {
    server.faults = {};
    const error = await closed(openSocket({ baileys, server: { url: server.url } }));
    assert.match(error.message, /self.signed certificate|unable to verify|unable to get local issuer/);
  });

  test('a client that starts with something else is dropped and reported', async () => {
    server.faults = {};
    const { default: WebSocket } = await import('ws');
    const socket = new WebSocket(server.url, { ca: server.ca });
    const failed = new Promise(resolve => server.once('failure', error => resolve(error)));
    const dropped = new Promise(resolve => socket.on('close', resolve));
    socket.on('open', () => socket.send(Buffer.from('hello there')));
    assert.match((await failed).message, /not with a WA header/);
    await dropped;
  });
});

describe('the server itself', () => {
  test('stop() may be called again, ends what waits, and keeps no process alive', async () => {
    const script = `
      import { MockServer } from 'baileys-native/testing';
      const server = await MockServer.start();
      const waiting = server.waitFor(() => false, { timeoutMs: 600_000 }).catch(error => error.message);
      await Promise.all([server.stop(), server.stop()]);
      await server.stop();
      console.log(await waiting);
    `;
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], {
      cwd: repository,
      timeout: 20_000
    });
    assert.equal(stdout, 'the mock server was stopped\n');
  });

  test('without records, events and waitFor still work', async () => {
    const { server, sock, stop } = await online({ record: false });
    const seen = server.waitFor(({ direction, node }) => direction === 'in' && node.attrs.xmlns === 'w:p');
    await ping(sock);
    assert.equal((await seen).node.attrs.type, 'get');
    assert.deepEqual(server.stanzas, []);
    await stop();
  });

  test('waitFor says what came instead', async t => {
    const server = await MockServer.start({ root });
    t.after(() => server.stop());
    await assert.rejects(
      server.waitFor(() => false, { timeoutMs: 20 }),
      /no such stanza in 20 ms; .* none/
    );
  });

  test('trustTestRoot() is undone, and knows what it may overwrite', () => {
    const details = { SERIAL: 0, PUBLIC_KEY: Buffer.alloc(32, 7) };
    const undo = trustTestRoot(details, Buffer.alloc(32, 8));
    assert.deepEqual(details.PUBLIC_KEY, Buffer.alloc(32, 8));
    undo();
    assert.deepEqual(details.PUBLIC_KEY, Buffer.alloc(32, 7));
    trustTestRoot({ SERIAL: 0 }, Buffer.alloc(32))();
    assert.throws(() => trustTestRoot({}, Buffer.alloc(32)), TypeError);
    assert.throws(() => trustTestRoot(details, Buffer.alloc(31)), TypeError);
  });

  for (const line of ['baileys-6.7.24', 'baileys-6.17.16']) {
    test(`${line} pairs, logs in and is flooded`, async () => {
      const namespace = await import(line);
      const older = namespace.makeWASocket ? namespace : namespace.default;
      const restore = trustTestRoot(older, root.public);
      const server = await MockServer.start({ root, preKeyCount: 100, baileys: line, greetingDelayMs: 50 });
      const auth = await pair({ baileys: older, server, scan: qr => server.scanQr(qr) });
      const logger = recordingLogger('warn');
      const sock = await login({ baileys: older, server, auth, config: { logger } });
      let received = 0;
      sock.ws.on('CB:relay', () => received++);
      await server.connections[1].prepareFlood(sampleStanzas.message, 500).start();
      await ping(sock);
      assert.equal(received, 500);
      assert.deepEqual(logger.entries, []);
      await sock.end(undefined);
      await server.stop();
      restore();
    });
  }

  test('a client with another dictionary is told apart', async () => {
    const server = await MockServer.start({ root, baileys: 'baileys-6.17.16' });
    const failed = once(server, 'failure');
    const error = await closed(openSocket({ baileys, server }));
    assert.equal(statusOf(error), baileys.DisconnectReason.connectionClosed);
    assert.match((await failed)[0].message, /dictionary 3.*dictionary 2/);
    await server.stop();
  });

  test('the example in the documentation works as it stands', async () => {
    const text = await readFile(join(repository, 'docs/testing.md'), 'utf8');
    const [, example] = /```js\n([\s\S]*?)```/.exec(text);
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', example], {
      cwd: repository,
      timeout: 30_000
    });
    assert.match(stdout, /the bot works\n/);
  });

  test('what a device has not acknowledged is asked of a device', async t => {
    const server = await MockServer.start({ tls: false });
    t.after(() => server.stop());
    const [device] = server.devicesOf('15550005678');
    for (const wrong of [device, null, '15550005678']) {
      assert.throws(() => server.pending(wrong), { name: 'TypeError', message: /takes a device.*linked\?$/ });
    }
  });

  test('a runtime with a `ws` of its own is told', async t => {
    // As Bun resolves it.
    const resolve = Module._resolveFilename;
    t.after(() => (Module._resolveFilename = resolve));
    Module._resolveFilename = (name, ...rest) => (name === 'ws' ? name : resolve.call(Module, name, ...rest));
    for (const source of [baileys, undefined]) {
      await assert.rejects(MockServer.start({ baileys: source }), /needs the `ws` package itself.*Node\.js/);
    }
  });

  test('a Baileys that cannot be found is named', async () => {
    await assert.rejects(MockServer.start({ baileys: 'no-such-baileys' }), /no-such-baileys/);
  });
});
