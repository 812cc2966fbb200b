// The channels of node:diagnostics_channel, and the sums of metrics().

import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { EventEmitter, once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { Agent } from 'node:http';
import { createRequire } from 'node:module';
import test from 'node:test';
import { WebSocketClient, encodeBinaryNode, metrics } from 'baileys-native';
import {
  EVENT_TIMEOUT_MS,
  createSession,
  iq,
  next,
  numbered,
  openSession,
  startServer
} from '../support/native-session.mjs';
import { declaredMembers } from '../support/declared-members.mjs';
import { loggedInClient } from '../support/drop-in-client.mjs';

const options = { timeout: 60_000 };

/** Collects the messages on the channels of a group during a test, by the last part of the channel name. */
function record(t, group, names) {
  const messages = Object.fromEntries(names.map(name => [name, []]));
  for (const name of names) {
    const listener = message => messages[name].push(message);
    subscribe(`baileys-native:${group}:${name}`, listener);
    t.after(() => unsubscribe(`baileys-native:${group}:${name}`, listener));
  }
  return messages;
}

test('a session publishes its events on diagnostics channels', options, async t => {
  const messages = record(t, 'session', ['state', 'reconnecting', 'offline', 'error', 'close', 'unsent']);
  const { session, connection } = await openSession(t);
  await connection.send({ tag: 'ib', attrs: {}, content: [{ tag: 'offline', attrs: { count: '3' } }] });
  await next(session, 'offline');
  const again = next(session, 'reconnecting');
  await connection.streamError(503);
  await again;
  await session.connect({ signal: AbortSignal.timeout(EVENT_TIMEOUT_MS) });
  await session.close();
  for (const published of Object.values(messages))
    for (const message of published) assert.equal(message.session, session);
  assert.deepEqual(
    messages.state.map(({ to }) => to),
    [
      'connecting',
      'authenticating',
      'connected',
      'reconnecting',
      'connecting',
      'authenticating',
      'connected',
      'closing',
      'disconnected'
    ]
  );
  const [{ attempt, at, reason }] = messages.reconnecting;
  assert.deepEqual([attempt, typeof at, reason.code], [1, 'number', 503]);
  assert.ok(messages.offline.some(({ count }) => count === 3));
  assert.deepEqual(
    messages.close.map(({ reason }) => reason.kind),
    ['requested']
  );
});

test('a session publishes pairing', options, async t => {
  const messages = record(t, 'session', ['qr', 'paired', 'creds']);
  const server = await startServer(t);
  const session = createSession(t, server);
  session.once('qr', qr => server.scanQr(qr));
  await session.connect({ signal: AbortSignal.timeout(EVENT_TIMEOUT_MS) });
  const [{ qr, expiresAt }] = messages.qr;
  assert.ok(qr.split(',').length >= 4 && expiresAt > Date.now());
  assert.equal(messages.paired[0].me.id, session.credentials.me.id);
  assert.ok(messages.creds.some(({ update }) => update.account));
});

test('a session publishes stanzas and queries without building nodes for it', options, async t => {
  const messages = record(t, 'session', ['node', 'query']);
  const { session, connection } = await openSession(t, { closeTimeoutMs: 50 });
  const before = session.metrics().stanzasDelivered;
  await connection.send(numbered(1));
  const question = iq();
  const answer = await session.query(question);
  assert.equal(session.metrics().stanzasDelivered, before + 1, 'the stanza that nobody watches is not built');
  const [sent, received] = messages.node.filter(({ node }) => node.tag === 'iq');
  assert.deepEqual([sent.direction, sent.node, received.direction, received.node], ['out', question, 'in', answer]);
  session.onStanza('CB:iq', () => {});
  await session.query(iq({ id: 'twice' }));
  const twice = messages.node.filter(({ node, direction }) => direction === 'in' && node.attrs.id === 'twice');
  assert.equal(twice.length, 1, 'an answer that a pattern matches as well is one stanza');
  const [{ node, outcome, ms, answer: told }] = messages.query;
  assert.deepEqual([node, outcome, told], [question, 'answered', answer]);
  assert.ok(ms > 0 && ms < EVENT_TIMEOUT_MS);

  // Answers arrive but are not read.
  session.pause();
  await assert.rejects(session.query(iq(), { timeoutMs: 1 }));
  const abort = new AbortController();
  const cancelled = session.query(iq(), { signal: abort.signal });
  abort.abort();
  await assert.rejects(cancelled);
  const closed = session.query(iq());
  await Promise.all([assert.rejects(closed), session.close()]);
  assert.deepEqual(
    messages.query.map(({ outcome }) => outcome),
    ['answered', 'answered', 'timedOut', 'cancelled', 'closed']
  );
});

test('a socket publishes its events and the stanzas on it', options, async t => {
  const names = ['connect', 'open', 'upgrade', 'node', 'message', 'send', 'ping', 'error', 'close'];
  const messages = record(t, 'socket', names);
  const { client, noise, socket, stanza } = await loggedInClient(t);
  const answer = stanza('q-1');
  client.send(noise.encodeFrame(encodeBinaryNode(iq({ id: 'q-1' }))));
  await answer;
  const { connection: number } = messages.open[0];
  assert.ok(Number.isInteger(number) && number > 0);
  assert.deepEqual(
    messages.connect.map(({ url }) => url),
    [String(client.url)]
  );
  assert.equal(messages.upgrade[0].response.statusCode, 101);
  assert.ok(messages.message.length > 0 && messages.message.every(({ data }) => Buffer.isBuffer(data)));
  assert.equal(messages.send.length, 2);
  const nodes = messages.node.filter(({ node }) => node.attrs.id === 'q-1');
  assert.deepEqual(
    nodes.map(({ direction, node, connection }) => [direction, node.tag, connection]),
    [
      ['out', 'iq', number],
      ['in', 'iq', number]
    ]
  );
  const closed = once(client, 'close');
  socket.close(1000);
  const [code] = await closed;
  assert.deepEqual(
    messages.close.map(each => [each.client, each.connection, each.code]),
    [[client, number, code]]
  );
});

test('a socket that cannot connect publishes an error and its close', options, async t => {
  const messages = record(t, 'socket', ['error', 'close']);
  const client = new WebSocketClient(new URL('ws://127.0.0.1:1/'), {});
  client.on('error', () => {});
  const closed = new Promise(resolve => client.once('close', resolve));
  client.connect();
  await closed;
  assert.deepEqual(
    messages.error.map(({ error }) => error.code),
    ['ECONNREFUSED']
  );
  assert.equal(messages.close.length, 1);
});

test("a connection that uses Baileys' own class also publishes", options, async t => {
  const messages = record(t, 'socket', ['connect', 'open', 'send', 'message', 'close']);
  class Original extends EventEmitter {
    connect() {
      this.socket = {};
      queueMicrotask(() => this.emit('open'));
    }
    send(data) {
      this.emit('message', data, true);
      this.emit('CB:iq', {});
      return true;
    }
    async close() {
      this.emit('close', 1000, Buffer.alloc(0));
    }
  }
  const { createDropIn } = createRequire(import.meta.url)('../../js/baileys/drop-in.cjs');
  const { WebSocketClient: Client } = createDropIn({ webSocketClient: () => Original });
  class OwnAgent extends Agent {
    createConnection() {}
  }
  const client = new Client(new URL('ws://127.0.0.1:1/'), { agent: new OwnAgent() });
  client.connect();
  await once(client, 'open');
  const data = Buffer.from('data');
  client.send(data);
  await client.close();
  assert.deepEqual(
    Object.entries(messages).map(([name, all]) => [name, all.length]),
    [
      ['connect', 1],
      ['open', 1],
      ['send', 1],
      ['message', 1],
      ['close', 1]
    ]
  );
  const [message] = messages.message;
  assert.deepEqual(message, { client, connection: undefined, data, isBinary: true });
  assert.equal(messages.close[0].code, 1000);
});

test('a blocked event loop is published and counted; the connection stays open', options, async t => {
  const messages = record(t, 'loop', ['stall']);
  const { session, connection } = await openSession(t);
  const first = next(session, 'node');
  session.on('node', () => {});
  const before = metrics().loopStalls;
  await connection.send(numbered(1));
  await first;
  // Again if the addon was paused too: then no event has waited for the loop.
  for (let n = 2; messages.stall.length === 0; n++) {
    // The server is in this process: it must have sent the stanza before the loop is blocked.
    await connection.send(numbered(n));
    const second = next(session, 'node');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_500);
    await second;
  }
  const [{ ms }] = messages.stall;
  assert.ok(ms >= 1_000, `${ms} ms`);
  const { count, sumMs, longestMs } = metrics().loopStalls;
  assert.ok(count > before.count && sumMs >= before.sumMs + 1_000 && longestMs >= 1_000);
  assert.ok(session.metrics().loopStalls.count > 0);
  assert.equal(session.state, 'connected');
});

test('metrics() has every counter of sessions and includes ended sessions', options, async t => {
  const { session, connection } = await openSession(t);
  const all = new Promise(resolve => session.onStanza('CB:message', ({ attrs }) => attrs.n === '999' && resolve()));
  const flood = connection.prepareFlood(numbered, 1_000);
  await Promise.all([flood.start(), all, session.query(iq())]);
  const own = session.metrics();
  assert.equal(own.handshakes.XX.count, 1);
  assert.equal(own.handshakes.XX.sumMs, own.handshake.ms);
  assert.ok(own.decryptMs > 0 && own.parseMs > 0 && own.inflateMs >= 0 && own.inboundMs > 0);
  assert.ok(own.bufferBytes > 0 && own.incoming.mostStanzas > 0 && own.outgoing.mostBytes > 0);
  assert.equal(own.queryLatency.count, 1);
  const during = metrics();
  assert.ok(during.states.connected >= 1 && during.stanzasIn >= own.stanzasIn);
  await session.close();
  // The session may or may not be garbage-collected.
  for (let i = 0; i < 3; i++) {
    globalThis.gc?.();
    const now = metrics();
    for (const name of ['connections', 'logins', 'bytesIn', 'framesIn', 'stanzasIn', 'queries', 'decryptMs']) {
      assert.ok(now[name] >= during[name], name);
    }
  }
});

test('metrics() includes the sockets of the drop-in', options, async t => {
  const before = metrics().sockets;
  const { client, noise, stanza } = await loggedInClient(t);
  const answer = stanza('q-2');
  client.send(noise.encodeFrame(encodeBinaryNode(iq({ id: 'q-2' }))));
  await answer;
  const { sockets } = metrics();
  assert.equal(sockets.open, before.open + 1);
  assert.equal(sockets.connections, before.connections + 1);
  assert.ok(sockets.messagesIn >= before.messagesIn + 2 && sockets.messagesOut >= before.messagesOut + 2);
  assert.ok(sockets.bytesIn > before.bytesIn && sockets.bytesOut > before.bytesOut);
  assert.ok(sockets.framesOpened > before.framesOpened && sockets.inboundMs > before.inboundMs);
  assert.ok(sockets.mostWaitingBytes > 0);
  await client.close();
  const after = metrics().sockets;
  assert.equal(after.open, before.open);
  assert.ok(after.messagesOut >= sockets.messagesOut && after.connections === sockets.connections);
});

test('every channel is documented and typed', async () => {
  const require = createRequire(import.meta.url);
  const groups = Object.values(require('../../js/observe/channels.cjs'));
  const names = groups.flatMap(group => Object.values(group)).map(({ name }) => name);
  assert.ok(names.length > 20);
  for (const file of ['docs/observation.md', 'index.d.ts']) {
    const text = await readFile(new URL(`../../${file}`, import.meta.url), 'utf8');
    const mentioned = [...new Set(text.match(/baileys-native:(?:session|socket|loop):[a-z-]+/g))];
    assert.deepEqual(mentioned.sort(), [...names].sort(), file);
  }
});

/** The names of all values that `read` looks up in `object`, as paths. An array counts as one value. */
function pathsRead(object, read) {
  const paths = new Set();
  const recorder = (value, path) =>
    new Proxy(value, {
      get(target, name) {
        const member = target[name];
        if (typeof name === 'symbol' || !Object.hasOwn(target, name)) return member;
        if (isGroup(member)) return recorder(member, `${path}${name}.`);
        paths.add(path + name);
        return member;
      }
    });
  read(recorder(object, ''));
  return paths;
}

const isGroup = value => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The names of all values in `object`, as paths. */
const pathsOf = (object, path = '') =>
  Object.entries(object).flatMap(([name, value]) =>
    isGroup(value) ? pathsOf(value, `${path}${name}.`) : [path + name]
  );

test('every value of metrics() is in a Prometheus family', options, async t => {
  await openSession(t);
  const { families } = createRequire(import.meta.url)('../../js/prometheus/families.cjs');
  const figures = metrics();
  assert.ok(figures.handshakes.XX.count > 0);
  const read = pathsRead(figures, recorded => families().forEach(family => family.read(recorded, family.name)));
  // The sum of the sessions' states.
  read.add('sessions');
  assert.deepEqual(
    pathsOf(figures).filter(path => !read.has(path)),
    []
  );
});

test('index.d.ts declares the fields of metrics() and of its parts, and no others', () => {
  const figures = metrics();
  const own = [...declaredMembers('SessionFigures'), ...declaredMembers('ProcessMetrics')];
  assert.deepEqual(Object.keys(figures).sort(), own.sort());
  for (const [part, type] of [
    [figures.sockets, 'SocketFigures'],
    [figures.incoming, 'QueueMetrics'],
    [figures.outgoing, 'QueueMetrics'],
    [figures.loopStalls, 'LoopStalls'],
    [figures.queryLatency, 'DurationHistogram'],
    [figures.pingRtt, 'DurationHistogram']
  ]) {
    assert.deepEqual(Object.keys(part).sort(), declaredMembers(type).sort(), type);
  }
});
