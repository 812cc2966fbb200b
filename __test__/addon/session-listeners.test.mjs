// Listeners of NativeSession: stanzas for `node` are built only while it has a listener.

import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import test from 'node:test';
import { createSession, iq, numbered, openSession, startServer } from '../support/native-session.mjs';

const options = { timeout: 60_000 };

/** Checks whether listeners of `node` get a stanza, and whether one was built. */
function stanzas({ session, connection }) {
  let count = 0;
  return async () => {
    const before = session.metrics().stanzasDelivered;
    await connection.send(numbered(count++));
    await session.query(iq());
    // The answer of the query is always built.
    return session.metrics().stanzasDelivered - before > 1;
  };
}

test('a new session has no listeners', options, async t => {
  const session = createSession(t, await startServer(t));
  assert.deepEqual(session.eventNames(), []);
  assert.equal(session.listenerCount('newListener') + session.listenerCount('removeListener'), 0);
  const told = [];
  session.on('newListener', name => told.push(name));
  const listener = () => {};
  assert.equal(session.on('node', listener).off('node', listener), session);
  assert.deepEqual(told, ['node']);
  assert.throws(() => session.on('node', 'no function'), TypeError);
});

test('a `node` listener works after removeAllListeners()', options, async t => {
  const opened = await openSession(t, { activate: false });
  const { session } = opened;
  const built = stanzas(opened);
  for (const names of [[], ['newListener'], ['removeListener'], ['node']]) {
    session.on('node', () => {});
    session.removeAllListeners(...names);
    if (names.length > 0) session.removeAllListeners();
    assert.equal(await built(), false, `${names}`);
    let heard = 0;
    session.on('node', () => heard++);
    assert.equal(await built(), true, `${names}`);
    assert.ok(heard > 0, `${names}`);
    session.removeAllListeners('node');
    assert.equal(await built(), false, `${names}`);
  }
});

test('all methods that add and remove listeners work', options, async t => {
  const opened = await openSession(t, { activate: false });
  const { session } = opened;
  const built = stanzas(opened);
  const listener = () => {};
  for (const add of ['on', 'addListener', 'prependListener']) {
    for (const remove of ['off', 'removeListener']) {
      session[add]('node', listener);
      session[add]('node', listener);
      session[remove]('node', listener);
      assert.equal(await built(), true, `${add} ${remove}`);
      session[remove]('node', listener);
      assert.equal(await built(), false, `${add} ${remove}`);
    }
  }
  for (const add of ['once', 'prependOnceListener']) {
    session[add]('node', listener);
    assert.equal(await built(), true, add);
    assert.equal(session.listenerCount('node'), 0, add);
    assert.equal(await built(), false, add);
  }
  const heard = once(session, 'node');
  assert.equal(await built(), true);
  assert.equal((await heard)[0].tag, 'message');
  assert.equal(await built(), false);
});

test('`newListener` and `removeListener` are emitted as by an EventEmitter', options, async t => {
  const session = createSession(t, await startServer(t));
  const logOf = emitter => {
    const log = [];
    const listener = () => {};
    emitter.on('newListener', name => log.push(['new', name]));
    emitter.on('removeListener', name => log.push(['removed', name, emitter.listenerCount('node')]));
    emitter.on('node', listener);
    emitter.once('node', listener);
    emitter.off('node', listener);
    emitter.removeAllListeners('node');
    emitter.on('state', listener);
    emitter.removeAllListeners();
    return [log, emitter.eventNames()];
  };
  assert.deepEqual(logOf(session), logOf(new EventEmitter()));
});
