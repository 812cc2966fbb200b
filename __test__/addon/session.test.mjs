// NativeSession with the mock server: methods, events and stanzas. Pairing and lifetime have their own files.

import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import test from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { NativeSession, SessionError, StanzaError, metrics } from 'baileys-native';
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
  until,
  upTo
} from '../support/native-session.mjs';
import { firstInTime } from '../support/time-limits.mjs';

const options = { timeout: 60_000 };

test('a session connects and closes repeatedly, and emits each state in order', options, async t => {
  const server = await startServer(t, { acceptUnknown: true, tls: true });
  const session = createSession(t, server, { creds: linkedCredentials() });
  for (let round = 0; round < 2; round++) {
    const changes = [];
    const onState = ({ from, to, at, reason }) => changes.push([from, to, typeof at, reason?.kind]);
    session.on('state', onState);
    await session.connect();
    assert.equal(session.state, 'connected');
    const closed = next(session, 'close');
    await Promise.all([session.close(), session.close()]);
    const [reason] = await closed;
    assert.deepEqual([reason.kind, reason.code], ['requested', 428]);
    assert.deepEqual(changes, [
      ['disconnected', 'connecting', 'number', undefined],
      ['connecting', 'authenticating', 'number', undefined],
      ['authenticating', 'connected', 'number', undefined],
      ['connected', 'closing', 'number', 'requested'],
      ['closing', 'disconnected', 'number', 'requested']
    ]);
    session.off('state', onState);
  }
  assert.equal(server.connections.length, 2);
});

test('connect() and close() work in one tick, and connect() works while closing', options, async t => {
  const server = await startServer(t, { acceptUnknown: true });
  // A close that waits for the timeout of the closing handshake would take longer than the time limit of this test.
  const session = createSession(t, server, { creds: linkedCredentials(), closeTimeoutMs: 600_000 });
  const connected = session.connect();
  const closed = session.close();
  await assert.rejects(session.connect(), { code: 'ERR_SESSION_CLOSING' });
  await closed;
  await assert.rejects(connected, { code: 'ERR_SESSION_ENDED', statusCode: 428, reason: 'requested' });
  await session.close();
  await session.connect();
  await Promise.all([session.connect(), session.connect()]);
  assert.equal(session.state, 'connected');
});

test('an AbortSignal ends the wait for the connection', options, async t => {
  const server = await startServer(t, { faults: { stallHandshake: true } });
  const session = createSession(t, server);
  const controller = new AbortController();
  const connected = session.connect({ signal: controller.signal });
  await nextWhere(session, 'state', ({ to }) => to === 'authenticating');
  controller.abort(new Error('enough'));
  await assert.rejects(connected, /enough/);
  await next(session, 'close');
  await assert.rejects(session.connect({ signal: controller.signal }), /enough/);
  assert.equal(session.state, 'disconnected');
});

test('an aborted close() still closes the session', options, async t => {
  const { session } = await openSession(t);
  const closed = next(session, 'close');
  await assert.rejects(session.close({ signal: AbortSignal.abort(new Error('enough')) }), /enough/);
  const [{ kind }] = await closed;
  assert.deepEqual([kind, session.state], ['requested', 'disconnected']);
  await session.close({ signal: AbortSignal.timeout(EVENT_TIMEOUT_MS) });
});

test('a query ends with an answer, an error stanza, a timeout or an abort', options, async t => {
  const { server, session } = await openSession(t);
  const answers = await Promise.all(upTo(50).map(n => session.query(iq({ id: `Q${n}` }))));
  assert.deepEqual(
    answers.map(({ attrs }) => attrs.id),
    upTo(50).map(n => `Q${n}`)
  );
  const { attrs } = await session.query({ tag: 'iq', attrs: { type: 'get', to: 's.whatsapp.net', xmlns: 'w:p' } });
  assert.match(attrs.id, /^\d+\.\d+-\d+$/);

  const refused = await session.query(iq({ xmlns: 'w:profile:picture' })).catch(error => error);
  assert.ok(refused instanceof StanzaError && refused instanceof SessionError);
  assert.deepEqual([refused.code, refused.statusCode, refused.text], ['ERR_STANZA', 404, 'item-not-found']);
  assert.equal(refused.output.statusCode, 404);

  server.handle({ xmlns: 'silent' }, () => null);
  await assert.rejects(session.query(iq({ xmlns: 'silent' }), { timeoutMs: 30 }), {
    code: 'ERR_QUERY_TIMEOUT',
    statusCode: 408
  });
  const controller = new AbortController();
  const asked = session.query(iq({ xmlns: 'silent', id: 'A' }), { signal: controller.signal });
  await assert.rejects(session.query(iq({ id: 'A' })), { code: 'ERR_DUPLICATE_ID' });
  controller.abort();
  await assert.rejects(asked, { name: 'AbortError' });
  await assert.rejects(session.query(iq(), { signal: controller.signal }), { name: 'AbortError' });
  await assert.rejects(session.query(iq(), { timeoutMs: -1 }), RangeError);

  const { queries, queriesRefused, queriesTimedOut, queriesCancelled, queriesPending } = session.metrics();
  assert.deepEqual([queries, queriesRefused, queriesTimedOut, queriesCancelled, queriesPending], [54, 1, 1, 1, 0]);
  const pending = session.query(iq({ xmlns: 'silent' }));
  await Promise.all([assert.rejects(pending, { code: 'ERR_CONNECTION_CLOSED', statusCode: 428 }), session.close()]);
  await assert.rejects(session.query(iq()), { code: 'ERR_NOT_CONNECTED', statusCode: 428 });
  await assert.rejects(session.sendNode(numbered(1)), { code: 'ERR_NOT_CONNECTED' });
});

test('a node that cannot be encoded throws a SessionError with the error as its cause', options, async t => {
  const { session } = await openSession(t);
  const cycle = { tag: 'iq', attrs: {}, content: [] };
  cycle.content.push(cycle);
  const thrown = {
    tag: 'iq',
    attrs: {},
    get content() {
      throw 'anything';
    }
  };
  const wrong = [
    ...[undefined, null, 'iq', {}, { tag: '' }, { tag: 5 }, cycle],
    ...[
      { tag: 'iq', attrs: {}, content: 5 },
      { tag: 'iq', attrs: { id: {} } }
    ]
  ];
  for (const send of ['query', 'sendNode']) {
    for (const node of wrong) {
      const error = await session[send](node).catch(reason => reason);
      assert.ok(error instanceof SessionError && error.cause instanceof Error, error);
      assert.deepEqual([error.code, error.message], ['ERR_INVALID_NODE', error.cause.message]);
    }
    await assert.rejects(session[send](thrown), { code: 'ERR_INVALID_NODE', message: 'anything', cause: 'anything' });
  }
  assert.equal((await session.query(iq({ id: 'after' }))).attrs.id, 'after');
});

test('stanzas that match no pattern are not converted to nodes', options, async t => {
  const { session, connection } = await openSession(t, { activate: false });
  const seen = [];
  const note = name => node => seen.push(`${name} ${node.attrs.id}`);
  const off = session.onStanza('CB:iq,type:set,pair', note('text'));
  session.onStanza({ tag: 'iq', attrs: { type: 'set', xmlns: true } }, note('structured'));
  session.onStanza('TAG:3', note('id'));
  session.onStanza('CB:iq,type:set,pair', note('again'));
  assert.throws(() => session.onStanza('no pattern', () => {}), /is not a stanza pattern/);
  const delivered = session.metrics().stanzasDelivered;
  const stanza = (id, attrs, child) => ({
    tag: 'iq',
    attrs: { id, type: 'set', ...attrs },
    content: [{ tag: child, attrs: {} }]
  });
  await connection.send(stanza('1', {}, 'pair'));
  await connection.send(stanza('2', { xmlns: 'x' }, 'other'));
  await connection.send(stanza('3', {}, 'other'));
  for (let n = 0; n < 100; n++) await connection.send(numbered(n));
  await session.query(iq());
  assert.deepEqual(seen, ['text 1', 'again 1', 'structured 2', 'id 3']);
  assert.equal(session.metrics().stanzasDelivered - delivered, 4);

  off();
  off();
  const nodes = [];
  const onNode = node => nodes.push(node.attrs.id);
  session.on('node', onNode);
  await connection.send(stanza('4', {}, 'pair'));
  await session.query(iq({ id: 'asked' }));
  session.off('node', onNode);
  await connection.send(stanza('5', {}, 'pair'));
  await session.query(iq());
  assert.deepEqual(nodes, ['4', 'asked']);
  assert.deepEqual(seen.slice(4), ['again 4', 'again 5']);
});

test('an AbortSignal removes a stanza listener', options, async t => {
  const { session, connection } = await openSession(t);
  const controller = new AbortController();
  let count = 0;
  session.onStanza('CB:message', () => count++, { signal: controller.signal });
  await connection.send(numbered(1));
  await session.query(iq());
  controller.abort();
  session.onStanza('CB:message', () => count++, { signal: controller.signal });
  await connection.send(numbered(2));
  await session.query(iq());
  assert.equal(count, 1);
});

test('text, bytes and children of stanzas survive a round trip', options, async t => {
  const { server, session, connection } = await openSession(t);
  const node = {
    tag: 'message',
    attrs: { id: 'X', notify: 'Zoë 🚲 日本', to: '1@s.whatsapp.net', odd: 'é' },
    content: [
      { tag: 'enc', attrs: { v: '2' }, content: Buffer.from([0, 255, 1]) },
      { tag: 'list', attrs: {}, content: [{ tag: 'item', attrs: {}, content: 'text 日' }] },
      { tag: 'large', attrs: {}, content: Buffer.alloc(300_000, 7) }
    ]
  };
  server.handle('message', () => null);
  const received = server.waitFor(({ direction, node: { tag } }) => direction === 'in' && tag === 'message');
  await session.sendNode(node);
  const there = (await received).node;
  const here = nextWhere(session, 'node', ({ tag }) => tag === 'message');
  await connection.send(node, { compress: true });
  const [back] = await here;
  for (const copy of [there, back]) {
    assert.deepEqual(copy.attrs, node.attrs);
    assert.deepEqual(Buffer.from(copy.content[0].content), node.content[0].content);
    assert.equal(String(copy.content[1].content[0].content), 'text 日');
    assert.ok(node.content[2].content.equals(copy.content[2].content));
  }
});

test('several sessions receive floods, each stanza once and in order', options, async t => {
  const COUNT = 10_000;
  const server = await startServer(t, { acceptUnknown: true, record: false });
  const sessions = await Promise.all(
    upTo(3).map(async n => {
      const session = createSession(t, server, { creds: linkedCredentials(`1555000000${n}`) });
      await session.connect();
      return session;
    })
  );
  const received = sessions.map(() => []);
  const all = sessions.map(
    (session, i) =>
      new Promise(resolve => {
        session.onStanza('CB:message', ({ attrs }) => {
          received[i].push(Number(attrs.n));
          if (received[i].length === COUNT) resolve();
        });
      })
  );
  const floods = server.connections.map(connection => connection.prepareFlood(numbered, COUNT, { perMessage: 7 }));
  await Promise.all([...floods.map(flood => flood.start()), ...all]);
  for (const numbers of received) assert.deepEqual(numbers, upTo(COUNT));
  const totals = metrics();
  assert.ok(totals.states.connected >= 3 && totals.stanzasIn >= 3 * COUNT);
});

test(
  'a paused session does not read, and the server waits; after resume() all stanzas arrive in order',
  options,
  async t => {
    const COUNT = 60_000;
    const { session, connection } = await openSession(
      t,
      { incoming: { stanzas: 100, bytes: 100_000 } },
      { record: false }
    );
    const padded = n => ({ ...numbered(n), content: Buffer.alloc(400) });
    const flood = connection.prepareFlood(padded, COUNT, { perMessage: 10 });
    const received = [];
    let finished;
    const all = new Promise(resolve => (finished = resolve));
    session.onStanza('CB:message', ({ attrs }) => {
      received.push(Number(attrs.n));
      if (received.length === COUNT) finished();
    });
    session.pause();
    const sent = flood.start();
    // The session has stopped reading.
    await until(() => session.metrics().stalls > 0);
    assert.equal(flood.state, 'sending');
    const before = received.length;
    assert.ok(before < 1000, `${before} were read`);
    await delay(100);
    assert.equal(received.length, before);
    session.resume();
    await Promise.all([sent, all]);
    assert.deepEqual(received, upTo(COUNT));
  }
);

test('an iterator over stanzas applies back-pressure to the server, and ends with the session', options, async t => {
  const COUNT = 3_000;
  const { session, connection } = await openSession(
    t,
    { incoming: { stanzas: 50 }, activate: false },
    { record: false }
  );
  const stanzas = session.stanzas('CB:message');
  const sent = connection.prepareFlood(numbered, COUNT, { perMessage: 10 }).start();
  await until(() => session.metrics().stalls > 0);
  assert.ok(session.metrics().stanzasIn < 1500, 'it reads on without a consumer');
  const received = [];
  for await (const { attrs } of stanzas) {
    if (received.push(Number(attrs.n)) === COUNT) break;
  }
  assert.deepEqual(received, upTo(COUNT));
  await sent;
  assert.deepEqual(await stanzas.next(), { value: undefined, done: true });

  const rest = [];
  const reading = (async () => {
    for await (const { tag, attrs } of session) rest.push(`${tag} ${attrs.id}`);
  })();
  await connection.send(numbered(1));
  await session.query(iq({ id: 'last' }));
  await session.close();
  await reading;
  assert.deepEqual(rest, ['message M1', 'iq last']);
});

test('an iterator can be aborted while it waits and between two stanzas', options, async t => {
  const { session, connection } = await openSession(t);
  const controller = new AbortController();
  const stanzas = session.stanzas('CB:message', { signal: controller.signal });
  const first = stanzas.next();
  await connection.send(numbered(1));
  assert.equal((await first).value.attrs.n, '1');
  const waiting = stanzas.next();
  controller.abort(new Error('enough'));
  await assert.rejects(waiting, /enough/);
  const late = session.stanzas('CB:message', { signal: controller.signal });
  await assert.rejects(late.next(), /enough/);
  assert.equal((await late.next()).done, true);
});

test('an unused iterator does not pause the session after return(), throw() or an abort', options, async t => {
  const { session, connection } = await openSession(t, { incoming: { stanzas: 50 }, activate: false });
  const controller = new AbortController();
  const returned = session.stanzas();
  const thrown = Readable.from(session.stanzas());
  const aborted = session.stanzas('frame', { signal: controller.signal });
  const flood = connection.prepareFlood(numbered, 600, { perMessage: 10 });
  await flood.start();
  await aborted.next();
  assert.deepEqual(await returned.return(), { value: undefined, done: true });
  thrown.on('error', () => {}).destroy(new Error('enough'));
  controller.abort(new Error('enough'));
  // The session continues to read: the answer arrives after the flood.
  assert.equal((await session.query(iq({ id: 'behind' }))).attrs.type, 'result');
  assert.deepEqual(await returned.next(), { value: undefined, done: true });
});

for (const end of ['abort', 'return']) {
  test(`an iterator that a listener of the same stanza ends (${end}) does not pause the session`, options, async t => {
    const { session, connection } = await openSession(t, { activate: false });
    const controller = new AbortController();
    const seen = [];
    session.onStanza('CB:message', ({ attrs }) => {
      seen.push(attrs.n);
      if (end === 'abort') controller.abort();
      else void stanzas.return();
    });
    const stanzas = session.stanzas('CB:message', { signal: controller.signal });
    for (const n of upTo(3)) await connection.send(numbered(n));
    assert.equal((await session.query(iq())).attrs.type, 'result');
    assert.deepEqual(seen, ['0', '1', '2']);
    assert.equal(session.metrics().stalls, 0);
  });
}

test('sendNode() waits above the high-water mark, and keeps the order', options, async t => {
  const COUNT = 2_000;
  const { server, session } = await openSession(t, { outgoing: { stanzas: 10, bytes: 2_000 } });
  server.handle('message', () => null);
  const drained = next(session, 'drain');
  const sends = upTo(COUNT).map(n => session.sendNode({ ...numbered(n), content: Buffer.alloc(3_000) }));
  await drained;
  const numbers = await Promise.all(sends);
  assert.deepEqual(
    numbers,
    [...numbers].sort((a, b) => a - b)
  );
  assert.equal(session.needsDrain, false);
  await session.query(iq());
  const received = server.connections[0].received.filter(({ node }) => node.tag === 'message');
  assert.deepEqual(
    received.map(({ node }) => Number(node.attrs.n)),
    upTo(COUNT)
  );
});

test('a session reconnects after a lost connection; only idempotent queries are sent again', options, async t => {
  const { server, session, connection } = await openSession(t);
  const asked = [];
  server.handle({ xmlns: 'held' }, ({ attrs }, { id }) => {
    asked.push([attrs.id, id]);
    return id === 0 ? null : undefined;
  });
  const held = [
    session.query(iq({ xmlns: 'held', id: 'once' })),
    session.query(iq({ xmlns: 'held', id: 'twice' }), { idempotent: true })
  ];
  await server.waitFor(({ node }) => node.attrs.id === 'twice');
  const reconnecting = next(session, 'reconnecting');
  const again = nextWhere(session, 'state', ({ to }) => to === 'connected');
  connection.drop();
  await assert.rejects(held[0], { code: 'ERR_CONNECTION_CLOSED' });
  const [{ attempt, at, reason }] = await reconnecting;
  assert.equal(attempt, 1);
  assert.ok(Math.abs(at - Date.now()) < EVENT_TIMEOUT_MS && [408, 428].includes(reason.code));
  await again;
  assert.equal((await held[1]).attrs.id, 'twice');
  assert.deepEqual(asked.at(-1), ['twice', 1]);
  assert.equal(asked.filter(([id]) => id === 'once').length, 1);
});

test('a server that sends only WebSocket pings is silent', options, async t => {
  /** A connection that ends after this silence, and the number of answered pings until then. */
  const attempt = async silenceMs => {
    const times = { keepAliveIntervalMs: silenceMs / 2, keepAliveGraceMs: silenceMs / 2 };
    const server = await startServer(t, { acceptUnknown: true });
    server.handle('iq', () => null);
    let pings = 0;
    server.on('login', connection => {
      // Each ping follows the pong of the one before. A closed connection ends them.
      const ping = () =>
        connection.wsPing().then(
          () => (pings++, ping()),
          () => {}
        );
      ping();
    });
    const session = createSession(t, server, { creds: linkedCredentials(), ...times, reconnect: false });
    const closed = next(session, 'close');
    await Promise.all([closed, session.connect({ signal: AbortSignal.timeout(EVENT_TIMEOUT_MS) })]);
    return { kind: (await closed)[0].kind, pings };
  };
  const { kind, pings } = await firstInTime(attempt, ({ pings }) => pings > 0, 600);
  assert.equal(kind, 'silence');
  assert.ok(pings > 0);
});

test('a close frame ends the connection although the server does not end its TCP connection', options, async t => {
  const { session, connection } = await openSession(t, { reconnect: false });
  const closed = next(session, 'close');
  const start = performance.now();
  // The server does not read the answer. The closing handshake of the transport ends after 30 s.
  connection.pause();
  connection.close(1001);
  const [{ kind }] = await closed;
  assert.equal(kind, 'transportClosed');
  assert.ok(performance.now() - start < 15_000);
  await assert.rejects(session.sendNode(numbered(1)), { code: 'ERR_NOT_CONNECTED' });
});

test('cancel() in a `reconnecting` listener ends the wait for another connection', options, async t => {
  const { server, session, connection } = await openSession(t, { reconnect: { baseMs: 60_000, maxMs: 60_000 } });
  session.on('reconnecting', ({ cancel }) => cancel());
  const closed = next(session, 'close');
  connection.drop();
  await closed;
  assert.equal(session.state, 'disconnected');
  assert.equal(server.connections.length, 1);
});

test('connect() during the wait for a reconnection connects at once', options, async t => {
  const { session, connection } = await openSession(t, { reconnect: { baseMs: 600_000, maxMs: 600_000 } });
  const waiting = next(session, 'reconnecting');
  connection.drop();
  await waiting;
  await session.connect({ signal: AbortSignal.timeout(EVENT_TIMEOUT_MS) });
  assert.equal(session.state, 'connected');
});

const ENDS = [
  ['stream:error 401', c => c.streamError(401), ['stream', 401]],
  ['stream:error 403', c => c.streamError(403), ['stream', 403]],
  ['stream:error 500', c => c.streamError(500), ['stream', 500]],
  [
    'conflict',
    c => c.streamError(undefined, { content: [{ tag: 'conflict', attrs: { type: 'replaced' } }] }),
    ['stream', 440]
  ],
  ['failure 403', c => c.failure(403), ['failure', 403]]
];
for (const [name, end, expected] of ENDS) {
  test(`${name}: the session ends with the code of Baileys`, options, async t => {
    const { server, session, connection } = await openSession(t);
    const closed = next(session, 'close');
    await end(connection);
    const [{ kind, code }] = await closed;
    assert.deepEqual([kind, code], expected);
    assert.equal(server.connections.length, 1);
  });
}

const RESTARTS = [
  ['stream:error 515', c => c.streamError(515), 515],
  ['stream:error 503', c => c.streamError(503), 503],
  ['xmlstreamend', c => c.xmlStreamEnd(), 428]
];
for (const [name, end, expected] of RESTARTS) {
  test(`${name}: the session reconnects`, options, async t => {
    const { session, connection } = await openSession(t);
    const reconnecting = next(session, 'reconnecting');
    const again = nextWhere(session, 'state', ({ to }) => to === 'connected');
    await end(connection);
    const [{ reason }] = await reconnecting;
    assert.equal(reason.code, expected);
    await again;
    assert.deepEqual(session.metrics().reconnects, { [expected]: 1 });
  });
}

test('untrusted certificates and invalid credentials are refused', options, async t => {
  const server = await startServer(t, { acceptUnknown: true, faults: { certificate: 'wrong-root' } });
  const session = createSession(t, server, { creds: linkedCredentials() });
  await assert.rejects(session.connect(), { code: 'ERR_SESSION_ENDED', statusCode: 400, reason: 'handshake' });

  const auth = { creds: linkedCredentials() };
  const refused = (more, expected) =>
    assert.throws(() => new NativeSession({ auth, url: server.url, ...more }), expected);
  refused({ auth: undefined }, TypeError);
  refused({ auth: { creds: { ...auth.creds, noiseKey: undefined } } }, /noiseKey/);
  refused({ auth: { creds: { ...auth.creds, registrationId: '1' } } }, /registrationId/);
  refused({ url: 'ftp://localhost' }, SyntaxError);
  refused({ trustedRoot: Buffer.alloc(31) }, /32 bytes/);
  refused({ keepAliveIntervalMs: 0 }, RangeError);
  refused({ version: [1, 2] }, /version/);
  refused({ reconnect: { classes: { 500: 'never' } } }, /never/);
});

test('credentials, offline count and routing come as events, in Baileys\u2019 shape', options, async t => {
  const server = await startServer(t, {
    acceptUnknown: true,
    login: { edgeRouting: Buffer.from([1, 2, 3]), offline: { count: 4 } }
  });
  const creds = linkedCredentials();
  const session = createSession(t, server, { creds });
  const updated = nextWhere(session, 'creds', ({ routingInfo }) => routingInfo);
  const offline = next(session, 'offline');
  await session.connect();
  const [{ routingInfo }] = await updated;
  assert.deepEqual([routingInfo, creds.routingInfo], [Buffer.from([1, 2, 3]), Buffer.from([1, 2, 3])]);
  assert.deepEqual(await offline, [4]);
  await session.close();
  await session.connect();
  assert.deepEqual(server.connections[1].routingInfo, Buffer.from([1, 2, 3]));
});
