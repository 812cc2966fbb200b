// Stanzas, floods and ends of connections on the mock server, with an unmodified Baileys 7.

import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import * as baileys from 'baileys';
import { compressStanza, result, sampleStanzas } from '../../js/testing/index.mjs';
import { closed, pair, ping } from '../support/baileys-client.mjs';
import { logInDevice, statusOf, trustRoot } from '../support/mock-clients.mjs';
import { suiteResources } from '../support/resources.mjs';

trustRoot();

describe('traffic', () => {
  const resources = suiteResources();
  let client;
  before(async () => {
    client = await logInDevice(resources);
  });

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

  test('the server answers a ping and an unknown query', async () => {
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
    // Baileys decompresses on the thread pool and may finish adjacent messages in another order.
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

  test('stanzas that are sent during the preparation of a flood follow it', async () => {
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
    await assert.rejects(flood.start(), /the flood is not prepared but sent/);
    for (const [event, listener] of listeners) sock.ws.off(event, listener);
  });

  test('a cancelled flood does not change the connection', async () => {
    const { sock, connection } = client;
    const flood = connection.prepareFlood(sampleStanzas.ack, 10);
    const answer = ping(sock);
    flood.cancel();
    assert.equal(flood.state, 'cancelled');
    assert.equal((await answer).attrs.type, 'result');
    assert.throws(() => flood.cancel(), /the flood is not prepared but cancelled/);
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

  test('a handler answers instead of the server until it is removed', async () => {
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

  test('the server can send queries, raw bytes, and WebSocket pings', async () => {
    const { sock, connection } = client;
    const raw = collect(sock, 'raw', 2);
    const encoded = baileys.encodeBinaryNode({ tag: 'raw', attrs: { id: 'plain' } });
    await connection.sendRaw(encoded);
    await connection.sendRaw(compressStanza(baileys.encodeBinaryNode({ tag: 'raw', attrs: { id: 'deflated' } })));
    assert.deepEqual(await raw, ['plain', 'deflated']);
    assert.equal((await connection.wsPing('are you there')).toString(), 'are you there');
  });
});

describe('a server that stops reading', () => {
  const resources = suiteResources();
  let client;
  before(async () => {
    client = await logInDevice(resources);
  });

  test('stanzas that the client sends during a pause are read after it, in order', async () => {
    const { sock, connection, server } = client;
    connection.pause();
    const before = server.stanzas.length;
    const answers = ['p1', 'p2', 'p3'].map(id =>
      sock.query({ tag: 'iq', attrs: { id, to: 's.whatsapp.net', type: 'get', xmlns: 'w:p' } })
    );
    // The server still reads from other clients. Without the pause it would also read the queries of this one.
    await pair({ baileys, server, scan: qr => server.scanQr(qr, { jid: '15550009999@s.whatsapp.net' }) });
    const read = () => server.stanzas.slice(before).filter(({ node }) => /^p\d$/.test(node.attrs.id));
    assert.deepEqual(read(), []);
    connection.resume();
    await Promise.all(answers);
    const asked = read().filter(({ direction }) => direction === 'in');
    assert.deepEqual(
      asked.map(({ node }) => node.attrs.id),
      ['p1', 'p2', 'p3']
    );
  });
});

describe('ends of a connection', () => {
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
    test(`Baileys reports ${name}`, async t => {
      const { sock, server, connection } = await logInDevice(t);
      const ended = closed(sock);
      const gone = new Promise(resolve => server.on('close', resolve));
      await end(connection);
      assert.ok([status].flat().includes(statusOf(await ended)));
      assert.equal(await gone, connection);
      assert.equal(connection.state, 'closed');
      await assert.rejects(connection.send({ tag: 'ib', attrs: {} }), /closed/);
    });
  }

  test(
    'a connection whose sending side has ended in the same tick is reset, and closes',
    { timeout: 60_000 },
    async t => {
      const { sock, server, connection } = await logInDevice(t);
      const ended = closed(sock);
      const gone = new Promise(resolve => server.on('close', resolve));
      connection.request.socket.end();
      connection.drop({ reset: true });
      await Promise.all([ended, gone]);
      assert.equal(connection.state, 'closed');
    }
  );

  test('a connection that closes during a flood fails the flood', async t => {
    const { connection } = await logInDevice(t);
    const flood = connection.prepareFlood(sampleStanzas.message, 20_000);
    const started = flood.start();
    connection.drop();
    await assert.rejects(started);
    assert.equal(flood.state, 'failed');
  });
});
