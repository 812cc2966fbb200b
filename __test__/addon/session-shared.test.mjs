// Sessions that share a process or move between processes: ConnectLimiter, stores, leases, hand-over.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { ConnectLimiter, Lease, NativeSession } from 'baileys-native';
import {
  EVENT_TIMEOUT_MS,
  createSession,
  iq,
  linkedCredentials,
  next,
  nextWhere,
  numbered,
  openSession,
  startServer,
  upTo
} from '../support/native-session.mjs';
import { closeAfter, releaseAfter } from '../support/resources.mjs';

const options = { timeout: 60_000 };

test('sessions that share a limiter connect one after the other, in order', options, async t => {
  const server = await startServer(t, { acceptUnknown: true, greetingDelayMs: 0 });
  const connectLimiter = new ConnectLimiter({ perSecond: 10, burst: 2 });
  const sessions = upTo(5).map(n =>
    createSession(t, server, { creds: linkedCredentials(`1555000000${n}`), connectLimiter })
  );
  const start = performance.now();
  const times = [];
  await Promise.all(
    sessions.map(async (session, n) => {
      await session.connect({ signal: AbortSignal.timeout(EVENT_TIMEOUT_MS) });
      times[n] = performance.now() - start;
    })
  );
  // Two connections at once, then one every 100 ms, in the order of the calls. Connections that were due during a pause of
  // this process start together, so the order at the server can be another one.
  assert.ok(times[2] >= 90 && times[3] >= 190 && times[4] >= 290, times.join(', '));
  assert.equal(server.connections.length, 5);
});

test('a limiter delays reconnections, without using up the time to connect', options, async t => {
  const started = performance.now();
  const connectLimiter = new ConnectLimiter({ perSecond: 0.25 });
  const { server, session, connection } = await openSession(t, {
    connectLimiter,
    connectTimeoutMs: 3_000,
    reconnect: { baseMs: 0, maxMs: 0 }
  });
  const again = nextWhere(session, 'state', ({ to }) => to === 'connected');
  connection.drop();
  await again;
  // The second connection may start four seconds after the first. That is longer than the connect timeout.
  const waited = performance.now() - started;
  assert.ok(waited >= 3_990, `${waited} ms`);
  assert.equal(server.connections.length, 2);
  assert.equal(session.metrics().connections, 2);
});

test('the rate of a limiter must be above zero and can be changed', options, async () => {
  const limiter = new ConnectLimiter({ perSecond: 0.5 });
  limiter.perSecond = 20;
  assert.equal(limiter.perSecond, 20);
  for (const perSecond of [0, -1, NaN, Infinity, undefined]) {
    assert.throws(() => new ConnectLimiter({ perSecond }), RangeError);
    assert.throws(() => (limiter.perSecond = perSecond), RangeError);
  }
  for (const burst of [0, 1.5, 2 ** 32]) assert.throws(() => new ConnectLimiter({ perSecond: 1, burst }), RangeError);
  assert.throws(() => new NativeSession({ auth: linkedCredentials(), connectLimiter: {} }), {
    message: 'connectLimiter must be a ConnectLimiter'
  });
});

test('handOver() returns the waiting stanzas in order, and does not log out', options, async t => {
  const { server, session, connection } = await openSession(t, { outgoing: { stanzas: 10 } });
  // The server reads nothing, so that stanzas stay in the queue.
  connection.pause();
  const outcomes = [];
  const big = n => ({ ...numbered(n), content: Buffer.alloc(100_000, n) });
  let count = 0;
  // More data than the buffers of the kernel and of the transport can hold, so that stanzas stay in the queue.
  for (; count < 400; count++) {
    const number = count;
    void session.sendNode(big(number)).then(
      () => outcomes.push([number, 'sent']),
      error => outcomes.push([number, error.code])
    );
  }
  assert.ok(session.needsDrain, 'the queue is full');
  const handedOver = session.handOver();
  connection.resume();
  const unsent = await handedOver;
  assert.equal(session.state, 'disconnected');
  assert.ok(unsent.length > 0 && unsent.length < count, `${unsent.length} of ${count}`);
  const first = count - unsent.length;
  unsent.forEach(({ node }, i) => assert.deepEqual(node, big(first + i)));
  assert.deepEqual(
    unsent.map(({ number }) => number),
    upTo(unsent.length).map(i => unsent[0].number + i)
  );
  // A sendNode() that waited for room in the queue is rejected.
  const refused = outcomes.filter(([, outcome]) => outcome === 'ERR_HANDED_OVER').map(([number]) => number);
  assert.ok(refused.length > 0 && refused.every(number => number >= first));
  // All stanzas that had left the queue have arrived.
  const received = connection.received
    .filter(({ node }) => node.tag === 'message')
    .map(({ node }) => Number(node.attrs.n));
  assert.deepEqual(received, upTo(first));
  assert.ok(!server.stanzas.some(({ node }) => JSON.stringify(node).includes('remove-companion-device')));
  assert.equal(server.devices.length, 1);
});

test('handOver() settles queries, and does nothing if the session is not connected', options, async t => {
  const { server, session } = await openSession(t);
  server.handle({ tag: 'iq', xmlns: 'test' }, () => null);
  const query = assert.rejects(session.query(iq({ xmlns: 'test' })), { code: 'ERR_CONNECTION_CLOSED' });
  assert.deepEqual(await session.handOver(), []);
  await query;
  assert.deepEqual(await session.handOver(), []);
  await assert.rejects(session.sendNode(iq()), { code: 'ERR_NOT_CONNECTED' });
  await session.connect({ signal: AbortSignal.timeout(EVENT_TIMEOUT_MS) });
  const [closing, handedOver] = [session.close(), session.handOver()];
  assert.deepEqual(await handedOver, []);
  await closing;
});

test('a session closes its connection at the end of its lease, also while JavaScript is blocked', options, async t => {
  const { server, session, connection } = await openSession(t, { keepAliveIntervalMs: 50 });
  const closed = next(session, 'close');
  const dropped = once(connection, 'close');
  await server.waitFor(({ node }) => node.attrs.xmlns === 'w:p');
  session.setLease(Date.now() + 300);
  session.setLease(Date.now() + 400);
  const end = performance.now() + 1_000;
  while (performance.now() < end);
  const [{ kind, code }] = await closed;
  assert.deepEqual([kind, code], ['leaseEnded', 428]);
  await dropped;
  assert.equal(session.state, 'disconnected');
  await assert.rejects(session.sendNode(iq()), { code: 'ERR_NOT_CONNECTED' });
});

test('after a close frame of the server, nothing is written after the end of the lease', options, async t => {
  const { server, session, connection } = await openSession(t, { reconnect: false });
  const closed = next(session, 'close');
  const before = session.metrics().stanzasOut;
  connection.pause();
  const content = Buffer.alloc(900e3);
  let sent = 0;
  do {
    for (const n of upTo(12)) session.sendNode({ ...numbered(n), content }).catch(() => {});
    sent += 12;
    await delay(500);
    // Until the operating system and the transport take no more.
  } while (session.metrics().stanzasOut - before === sent);
  connection.close(1001);
  assert.equal((await closed)[0].kind, 'transportClosed');
  const taken = session.metrics().stanzasOut - before;
  session.setLease(0);
  const dropped = once(connection, 'close');
  connection.resume();
  await dropped;
  const received = server.stanzas.filter(({ node }) => node.attrs.n !== undefined).length;
  assert.ok(received < taken, `${received} of ${taken}`);
});

test('connect() fails if the lease is over', options, async t => {
  const { server, session } = await openSession(t);
  const closed = next(session, 'close');
  session.setLease(0);
  assert.equal((await closed)[0].kind, 'leaseEnded');
  await assert.rejects(session.connect(), { code: 'ERR_SESSION_ENDED', reason: 'leaseEnded' });
  assert.equal(server.connections.length, 1);
  session.setLease(Date.now() + 60_000);
  await session.connect({ signal: AbortSignal.timeout(EVENT_TIMEOUT_MS) });
  session.setLease();
  assert.equal(session.state, 'connected');
  assert.equal(server.connections.length, 2);
  for (const until of [NaN, -1, 'soon']) {
    assert.throws(() => session.setLease(/** @type {any} */ (until)), RangeError);
    assert.throws(() => new Lease(/** @type {any} */ (until)), RangeError);
  }
});

/** The time for which a lease is renewed, in milliseconds: longer than a busy machine pauses a thread. */
const LEASE_MS = 8_000;

/** The source of a worker: it creates a lease, sends its id, and renews the lease until it gets a message. */
const RENEWAL = `
  const { parentPort, workerData } = require('node:worker_threads');
  const { Lease } = require(workerData.entry);
  const lease = new Lease(Date.now() + workerData.ms);
  const timer = setInterval(() => lease.renew(Date.now() + workerData.ms), 20);
  parentPort.postMessage(lease.id);
  parentPort.once('message', () => clearInterval(timer));
`;

test('another thread renews the lease of sessions while JavaScript is blocked', options, async t => {
  const opened = [await openSession(t), await openSession(t)];
  const entry = createRequire(import.meta.url).resolve('baileys-native');
  const worker = new Worker(RENEWAL, { eval: true, workerData: { entry, ms: LEASE_MS } });
  t.after(() => worker.terminate());
  const [id] = await once(worker, 'message');
  const lease = Lease.withId(id);
  for (const { session } of opened) session.setLease(lease);
  const first = lease.until;
  // No busy loop: the other thread must run.
  const cell = new Int32Array(new SharedArrayBuffer(4));
  while (Date.now() < first + 500) Atomics.wait(cell, 0, 0, 100);
  const closed = opened.map(({ session }) => next(session, 'close'));
  assert.ok(lease.until > Date.now());
  for (const { session } of opened) await session.query(iq());
  worker.postMessage('stop');
  for (const [{ kind }] of await Promise.all(closed)) assert.equal(kind, 'leaseEnded');
  assert.equal(lease.until, 0);
  assert.equal(lease.renew(Date.now() + 60_000), false);
  const [{ session }] = opened;
  await assert.rejects(session.connect(), { reason: 'leaseEnded' });
  session.setLease(new Lease(Date.now() + 60_000));
  await session.connect({ signal: AbortSignal.timeout(EVENT_TIMEOUT_MS) });
});

test('a lease is found by its id, and its end cannot be moved to an earlier time', options, () => {
  const until = Date.now() + 60_000;
  const lease = new Lease(until);
  assert.equal(lease.until, until);
  assert.equal(lease.renew(until - 1_000), true);
  assert.equal(lease.until, until);
  assert.equal(Lease.withId(lease.id).renew(until + 1_000), true);
  assert.equal(lease.until, until + 1_000);
  assert.notEqual(new Lease(until).id, lease.id);
  for (const id of [0, -1, 1.5, lease.id + 2 ** 32, String(lease.id)]) {
    assert.throws(() => Lease.withId(/** @type {any} */ (id)), RangeError);
  }
});

test('the end of a lease ends the wait for another connection', options, async t => {
  const { server, session, connection } = await openSession(t, { reconnect: { baseMs: 60_000, maxMs: 60_000 } });
  const waiting = next(session, 'reconnecting');
  connection.drop();
  await waiting;
  const closed = next(session, 'close');
  session.setLease(Date.now() + 50);
  assert.equal((await closed)[0].kind, 'leaseEnded');
  assert.equal(server.connections.length, 1);
});

/** A store in memory. `stored` is the saved state, `saves` the number of saves. */
function memoryStore(stored) {
  const store = {
    stored,
    saves: 0,
    isSaving: false,
    hold: Promise.resolve(),
    load: async () => store.stored,
    async save(state) {
      assert.ok(!store.isSaving, 'one save at a time');
      store.isSaving = true;
      store.saves += 1;
      await store.hold;
      store.stored = structuredClone(state);
      store.isSaving = false;
    }
  };
  return store;
}

/** A session with the state of a store. It is closed with the test. */
const sessionFromStore = async (t, store, server, more) =>
  closeAfter(t, await NativeSession.fromStore(store, { url: server.url, trustedRoot: server.rootKey, ...more }));

test('fromStore() loads, saves after changes, and another session resumes with the saved state', options, async t => {
  const server = await startServer(t, { acceptUnknown: true });
  const store = memoryStore({ creds: { ...linkedCredentials(), me: { id: '15550000001:1@s.whatsapp.net' } } });
  const session = await sessionFromStore(t, store, server, { resume: true });
  await session.connect({ signal: AbortSignal.timeout(EVENT_TIMEOUT_MS) });
  await session.handOver();
  assert.ok(store.stored.creds.me.lid, 'the change of the login is saved');
  assert.deepEqual(store.stored.knownServer, session.knownServer);
  const { saves } = store;
  const later = await sessionFromStore(t, store, server, { resume: true });
  await later.connect({ signal: AbortSignal.timeout(EVENT_TIMEOUT_MS) });
  assert.equal(server.connections[1].handshake, 'IK');
  await later.close();
  assert.ok(store.saves - saves <= 1, 'a known server is not saved again');
});

test('fromStore() runs one save at a time, and close() waits for the last save', options, async t => {
  const server = await startServer(t, { acceptUnknown: true });
  const store = memoryStore({ creds: linkedCredentials() });
  const session = await sessionFromStore(t, store, server);
  await session.connect({ signal: AbortSignal.timeout(EVENT_TIMEOUT_MS) });
  let release;
  store.hold = new Promise(resolve => (release = resolve));
  const before = store.saves;
  session.emit('creds', {});
  session.emit('creds', {});
  let isClosed = false;
  const closed = session.close().then(() => (isClosed = true));
  await nextWhere(session, 'state', ({ to }) => to === 'disconnected');
  await new Promise(resolve => setImmediate(resolve));
  assert.equal(isClosed, false);
  release();
  await closed;
  assert.ok(store.saves - before <= 2);
});

test('close() of a session that has ended waits for the last save', options, async t => {
  const server = await startServer(t, { acceptUnknown: true });
  const store = memoryStore({ creds: linkedCredentials() });
  const session = await sessionFromStore(t, store, server);
  await session.connect({ signal: AbortSignal.timeout(EVENT_TIMEOUT_MS) });
  let release;
  store.hold = new Promise(resolve => (release = resolve));
  releaseAfter(t, release);
  const ended = next(session, 'close');
  session.emit('creds', {});
  await server.connections[0].streamError(401);
  await ended;
  let isClosed = false;
  const closed = session.close().then(() => (isClosed = true));
  await new Promise(resolve => setImmediate(resolve));
  assert.equal(isClosed, false);
  const before = store.stored;
  release();
  await closed;
  assert.notEqual(store.stored, before);
});

test('a change during a save that fails is saved', options, async t => {
  const server = await startServer(t, { acceptUnknown: true });
  const store = memoryStore({ creds: linkedCredentials() });
  const session = await sessionFromStore(t, store, server);
  const { save } = store;
  const failed = next(session, 'error');
  const saved = new Promise(resolve => {
    store.save = () => {
      store.save = async state => resolve(await save(state));
      session.emit('creds', {});
      return Promise.reject(new Error('FENCED'));
    };
  });
  session.emit('creds', {});
  assert.equal((await failed)[0].cause.message, 'FENCED');
  await saved;
});

test('a failed save emits `error`, and the next change saves again', options, async t => {
  const server = await startServer(t, { acceptUnknown: true });
  const store = memoryStore({ creds: linkedCredentials() });
  const session = await sessionFromStore(t, store, server);
  const { save } = store;
  store.save = () => Promise.reject(new Error('FENCED'));
  const failed = next(session, 'error');
  session.emit('creds', {});
  const [error] = await failed;
  assert.deepEqual([error.code, error.cause.message], ['ERR_NOT_SAVED', 'FENCED']);
  const saved = new Promise(resolve => {
    store.save = async state => resolve(await save(state));
  });
  session.emit('creds', {});
  await saved;
  await assert.rejects(NativeSession.fromStore({ ...store, load: () => Promise.reject(new Error('gone')) }), {
    message: 'gone'
  });
});
