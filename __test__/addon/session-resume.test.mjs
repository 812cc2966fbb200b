// Sessions that resume with Noise IK, and all cases in which they need a full handshake (XX).

import assert from 'node:assert/strict';
import test from 'node:test';
import { createSession, iq, next, nextWhere, openSession } from '../support/native-session.mjs';

const options = { timeout: 60_000 };

const connected = session => nextWhere(session, 'state', ({ to }) => to === 'connected');
const kind = session => session.metrics().handshake.kind;
const kinds = server => server.connections.map(({ handshake }) => handshake);

/** Cuts the connection. Resolves when there is a new one. */
async function again(server, session) {
  const reconnected = connected(session);
  server.connections.at(-1).drop();
  await reconnected;
  return server.connections.at(-1);
}

/** Sets a fault for only the next connection. */
function faultOnce(server, faults) {
  server.faults = faults;
  server.once('connection', () => (server.faults = {}));
}

test('IK resumption with a known server: the login is in the first message', options, async t => {
  const { server, session, connection } = await openSession(t, { resume: true });
  assert.deepEqual([connection.handshake, connection.askedToResume, kind(session)], ['XX', false, 'XX']);
  const framesBefore = session.metrics().framesOut;
  const resumed = await again(server, session);
  assert.deepEqual([resumed.handshake, resumed.askedToResume, kind(session)], ['IK', true, 'IK']);
  assert.deepEqual(resumed.payload.username, connection.payload.username);
  assert.deepEqual(resumed.noiseKey, connection.noiseKey);
  // One frame for the handshake, and one for the query after the login.
  assert.equal(session.metrics().framesOut - framesBefore, 2);
  await session.query(iq());
  assert.equal((await again(server, session)).handshake, 'IK');
  assert.deepEqual(Object.keys(session.metrics().reconnects), ['428']);
});

test('a session also resumes after close() and connect()', options, async t => {
  const { server, session } = await openSession(t, { resume: true });
  await session.close();
  await session.connect();
  await session.query(iq());
  assert.deepEqual(kinds(server), ['XX', 'IK']);
});

test('if the server declines resumption, the handshake continues on the same connection', options, async t => {
  const { server, session } = await openSession(t, { resume: true });
  server.options.resumption = 'decline';
  const declined = await again(server, session);
  assert.deepEqual([declined.handshake, declined.askedToResume, kind(session)], ['XXfallback', true, 'XXfallback']);
  await session.query(iq());
  assert.equal(server.connections.length, 2);
});

test('a server with another key declines; later connections resume with that key', options, async t => {
  const { server, session } = await openSession(t, { resume: true });
  server.rotateNoiseKey();
  await again(server, session);
  await again(server, session);
  await session.query(iq());
  assert.deepEqual(kinds(server), ['XX', 'XXfallback', 'IK']);
});

test('a server without resumption gets a full handshake', options, async t => {
  const { server, session } = await openSession(t, { resume: true }, { resumption: 'ignore' });
  await again(server, session);
  assert.deepEqual([kind(session), server.connections[1].askedToResume], ['XX', true]);
  assert.deepEqual(kinds(server), ['XX', undefined, 'XX']);
});

for (const [name, faults] of [
  ['an answer that makes no sense', { garbageHandshake: true }],
  ['certificates under another root', { certificate: 'wrong-root' }],
  ['certificates of another key', { certificate: 'wrong-leaf-key' }],
  ['certificates that were changed', { certificate: 'tampered-leaf' }]
]) {
  test(`${name}: full handshake at once, and the known server is deleted`, options, async t => {
    const { server, session } = await openSession(t, { resume: true, reconnect: { baseMs: 1 } });
    faultOnce(server, faults);
    const { askedToResume, handshake } = await again(server, session);
    assert.deepEqual([askedToResume, handshake, server.connections[1].askedToResume], [false, 'XX', true]);
    // The full handshake has verified the server, so it is known again.
    assert.equal((await again(server, session)).handshake, 'IK');
  });
}

test('after an unanswered resumption the next connection does a full handshake', options, async t => {
  const { server, session } = await openSession(t, { resume: true, connectTimeoutMs: 1_500 });
  faultOnce(server, { stallHandshake: true });
  const reconnecting = nextWhere(session, 'reconnecting', ({ reason }) => reason.kind === 'timedOut');
  const latest = await again(server, session);
  await reconnecting;
  assert.deepEqual([latest.askedToResume, kind(session)], [false, 'XX']);
});

test('invalid certificates are refused with resumption and with a full handshake', options, async t => {
  const { server, session, connection } = await openSession(t, { resume: true });
  server.faults = { certificate: 'wrong-root' };
  const closed = next(session, 'close');
  connection.drop();
  const [{ kind: reason, code }] = await closed;
  assert.deepEqual([reason, code], ['handshake', 400]);
  assert.deepEqual(
    server.connections.map(({ askedToResume }) => askedToResume),
    [false, true, false]
  );
});

test('a new session resumes with the known server of an earlier session', options, async t => {
  const { server, session } = await openSession(t, { resume: true });
  const knownServer = JSON.parse(JSON.stringify(session.knownServer));
  assert.ok(knownServer.notBefore < knownServer.notAfter && knownServer.notAfter > Date.now() / 1000);
  assert.ok(Math.abs(session.serverTimeOffsetMs) < 10_000);
  await session.close();
  const open = async known => {
    const creds = session.credentials;
    const later = createSession(t, server, { creds, resume: true, knownServer: known });
    assert.equal(later.serverTimeOffsetMs, undefined);
    await later.connect();
    await later.query(iq());
    await later.close();
    return server.connections.at(-1).handshake;
  };
  assert.equal(await open(knownServer), 'IK');
  assert.equal(await open({ ...knownServer, notAfter: knownServer.notBefore + 1 }), 'XX');
  assert.equal(await open(undefined), 'XX');
  assert.throws(() => createSession(t, server, { knownServer: { key: 'short' } }), /32 bytes/);
});

test('a session does not resume if the option is not set', options, async t => {
  const { server, session } = await openSession(t);
  const { askedToResume, handshake } = await again(server, session);
  assert.deepEqual([askedToResume, handshake], [false, 'XX']);
});
