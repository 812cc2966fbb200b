// The log entries of a session and of its Rust code.

import assert from 'node:assert/strict';
import test from 'node:test';
import { recordingLogger } from '../support/baileys-client.mjs';
import { EVENT_TIMEOUT_MS, iq, nextWhere, numbered, openSession } from '../support/native-session.mjs';

const options = { timeout: 60_000 };

test('the level of the logger is read first, and stanzas are logged only at trace', options, async t => {
  const debug = recordingLogger('debug');
  const { session } = await openSession(t, { logger: debug });
  await session.query(iq({ id: 'secret-id' }));
  await session.close();
  const text = JSON.stringify(debug.entries);
  assert.ok(
    debug.entries.some(({ data }) => data?.to === 'connected'),
    text
  );
  assert.ok(!text.includes('secret-id') && !text.includes('advSecretKey'), text);

  const trace = recordingLogger('trace');
  const other = await openSession(t, { logger: trace });
  await other.session.query(iq({ id: 'secret-id' }));
  assert.equal(trace.entries.filter(({ data }) => data?.node?.attrs.id === 'secret-id').length, 2);
});

test('log entries of the addon are written to the logger at their level', options, async t => {
  const told = ({ entries }) => entries.map(({ message }) => message);
  const debug = recordingLogger('debug');
  const { session, connection } = await openSession(t, { logger: debug });
  assert.deepEqual(debug.entries.find(({ message }) => message === 'handshake complete').data.kind, 'XX');
  for (const message of ['opening a connection', 'name resolved', 'sending ClientHello']) {
    assert.ok(told(debug).includes(message), message);
  }
  assert.ok(!told(debug).includes('stanza received'));

  // A new level takes effect at once.
  debug.level = 'warn';
  const before = debug.entries.length;
  connection.drop();
  await nextWhere(session, 'state', ({ to }) => to === 'connected');
  await session.close();
  assert.equal(debug.entries.length, before);

  const trace = recordingLogger('trace');
  const other = await openSession(t, { logger: trace });
  other.session.onStanza('CB:message', () => {});
  const secret = Buffer.from('a key or a message');
  await other.connection.send({
    tag: 'message',
    attrs: { id: '1' },
    content: [{ tag: 'enc', attrs: {}, content: secret }]
  });
  await other.session.query(iq());
  assert.ok(told(trace).includes('stanza received'));
  const text = JSON.stringify(trace.entries);
  assert.ok(text.includes('"18 bytes"') && !text.includes(String([...secret])), text);
});

test('the log queue is limited while the event loop is busy; dropped entries are counted', options, async t => {
  // The server is in this process. So its frames must all fit into the buffers of the kernel: about 50 KB.
  const COUNT = 1_400;
  const logger = recordingLogger('trace');
  const { session, connection } = await openSession(t, { logger });
  await session.query(iq());
  const flood = connection.prepareFlood(numbered, COUNT, { perMessage: 100 });
  const before = logger.entries.length;
  const { stanzasIn } = session.metrics();
  // No event is taken in this turn.
  const sent = flood.start();
  const end = Date.now() + EVENT_TIMEOUT_MS;
  while (session.metrics().stanzasIn < stanzasIn + COUNT) assert.ok(Date.now() < end, 'not all stanzas have arrived');
  await sent;
  await session.query(iq());
  const entries = logger.entries.slice(before);
  const told = entries.filter(({ data }) => data?.tag === 'message').length;
  const left = entries.filter(({ message }) => message === 'log entries were dropped because too many were waiting');
  assert.ok(told < 1_200 && left.length === 1, `${told}, ${left.length}`);
  assert.deepEqual([left[0].level, left[0].data.count > COUNT - 1_200], ['warn', true]);
  assert.equal(told + left[0].data.count >= COUNT, true);
});
