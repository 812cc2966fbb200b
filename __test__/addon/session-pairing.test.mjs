// A device that NativeSession has paired works in an unmodified Baileys, and the reverse.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import * as baileys from 'baileys';
import fc from 'fast-check';
import { trustTestRoot } from 'baileys-native/testing';
import { login, memoryAuth, pair } from '../support/baileys-client.mjs';
import { createSession, iq, next, nextWhere, startServer } from '../support/native-session.mjs';

const options = { timeout: 60_000 };

/** A server that Baileys also trusts. */
async function trustedServer(t) {
  // Enough pre-keys, so that Baileys uploads none: the timer of an upload would be active after the test.
  const server = await startServer(t, { preKeyCount: 100 });
  t.after(trustTestRoot(baileys, server.rootKey));
  return server;
}

test(
  'Baileys connects with credentials that NativeSession paired by QR code and useMultiFileAuthState saved',
  options,
  async t => {
    const server = await trustedServer(t);
    const directory = await mkdtemp(join(tmpdir(), 'baileys-native-session-'));
    t.after(() => rm(directory, { recursive: true, force: true }));
    const { state, saveCreds } = await baileys.useMultiFileAuthState(directory);
    const session = createSession(t, server, { auth: state });
    assert.equal(session.credentials, state.creds);
    const saved = [];
    session.on('creds', () => saved.push(saveCreds()));
    const codes = [];
    session.on('reconnecting', ({ reason }) => codes.push(reason.code));
    const paired = next(session, 'paired');
    session.once('qr', (qr, { expiresAt }) => {
      assert.ok(expiresAt > Date.now());
      server.scanQr(qr, { jid: '15550000007:3@s.whatsapp.net', pushName: 'Paired' });
    });
    await session.connect();
    const [me] = await paired;
    assert.equal(me.id, '15550000007:3@s.whatsapp.net');
    assert.deepEqual(codes, [515]);
    await session.query(iq());
    await session.close();
    await Promise.all(saved);

    const kept = (await baileys.useMultiFileAuthState(directory)).state;
    assert.equal(kept.creds.me.id, '15550000007:3@s.whatsapp.net');
    const auth = { ...kept, apply: update => Object.assign(kept.creds, update) };
    const sock = await login({ baileys, server, auth });
    assert.equal(server.connections.at(-1).device, server.devicesOf('15550000007')[0]);
    await sock.end(undefined);

    // A NativeSession again, with the credentials that Baileys has changed.
    const again = createSession(t, server, { creds: kept.creds });
    await again.connect();
    assert.equal(again.state, 'connected');
  }
);

test('NativeSession connects with credentials that Baileys paired', options, async t => {
  const server = await trustedServer(t);
  const auth = await pair({ baileys, server, scan: qr => server.scanQr(qr), auth: memoryAuth(baileys) });
  const session = createSession(t, server, { creds: auth.creds });
  await session.connect();
  await session.query(iq());
  assert.equal(server.connections.at(-1).device.jid, auth.creds.me.id);
});

/** Options with which a client identifies itself. */
const identities = fc.record({
  version: fc.tuple(fc.nat(), fc.nat(), fc.integer({ min: 0, max: 0xffffffff })),
  browser: fc.tuple(
    fc.constantFrom('Mac OS', 'Windows', 'Ubuntu', 'Zoë'),
    fc.constantFrom('Chrome', 'Desktop', 'Safari', 'Android', 'iPad', 'ios_phone', 'Nothing', ''),
    fc.constantFrom('14.4.1', '', '10.0')
  ),
  countryCode: fc.constantFrom('US', 'DE', 'BR', ''),
  syncFullHistory: fc.boolean(),
  pushName: fc.option(fc.constantFrom('Ada', 'Zoë 🙂', ''), { nil: undefined })
});

test('the client payload is byte-equal to that of Baileys for the same options', options, async t => {
  const server = await startServer(t, { acceptUnknown: true, greetingDelayMs: 0 });
  let users = 15_550_200_000;
  const check = async (identity, registers, device) => {
    const creds = baileys.initAuthCreds();
    if (!registers) creds.me = { id: `${users++}${device}@s.whatsapp.net`, name: 'Mock user' };
    const config = { ...baileys.DEFAULT_CONNECTION_CONFIG, ...identity, auth: { creds } };
    const node = registers
      ? baileys.generateRegistrationNode(creds, config)
      : baileys.generateLoginNode(creds.me.id, config);
    const session = createSession(t, server, { creds, reconnect: false, ...identity });
    const there = registers ? next(session, 'qr') : session.connect();
    session.connect();
    await there;
    const { payloadBytes } = server.connections.at(-1);
    await session.close();
    assert.equal(
      payloadBytes.toString('hex'),
      Buffer.from(baileys.proto.ClientPayload.encode(node).finish()).toString('hex')
    );
  };
  const device = fc.constantFrom('', ':1', ':17', '_1:2', ':0');
  await fc.assert(fc.asyncProperty(identities, fc.boolean(), device, check), { numRuns: 60 });
});

test('QR codes are renewed; without a scan the session ends with 408', options, async t => {
  const server = await startServer(t, { refCount: 3 });
  const session = createSession(t, server, { firstQrTimeoutMs: 40, qrTimeoutMs: 20, reconnect: false });
  const codes = [];
  session.on('qr', qr => codes.push(qr));
  const closed = next(session, 'close');
  session.connect();
  const [{ kind, code }] = await closed;
  assert.deepEqual([kind, code, new Set(codes).size], ['qrEnded', 408, 3]);
});

test('requestPairingCode() returns a code and saves it in the credentials', options, async t => {
  const server = await startServer(t);
  const creds = baileys.initAuthCreds();
  const session = createSession(t, server, { creds });
  await assert.rejects(session.requestPairingCode('15550000001'), { code: 'ERR_PAIRING_CODE' });
  session.connect();
  await nextWhere(session, 'qr', () => true);
  await assert.rejects(session.requestPairingCode('none'), TypeError);
  await assert.rejects(session.requestPairingCode('15550000001', { code: 'short' }), { code: 'ERR_PAIRING_CODE' });
  const updated = next(session, 'creds');
  assert.equal(await session.requestPairingCode('+1 555 000 0001', { code: 'ABCDEFGH' }), 'ABCDEFGH');
  await updated;
  assert.deepEqual([creds.pairingCode, creds.me.id], ['ABCDEFGH', '15550000001@s.whatsapp.net']);
  const { node } = await server.waitFor(({ node }) => node.content?.[0]?.attrs?.stage === 'companion_hello');
  assert.equal(node.content[0].attrs.jid, '15550000001@s.whatsapp.net');
  const secret = creds.advSecretKey;
  const changed = nextWhere(session, 'creds', () => creds.advSecretKey !== secret);
  await server.connections.at(-1).sendRaw(baileys.encodeBinaryNode(phoneAnswer('n1')));
  await server.waitFor(({ node }) => node.content?.[0]?.attrs?.stage === 'companion_finish');
  await server.waitFor(({ node }) => node.tag === 'ack' && node.attrs.id === 'n1');
  await changed;
});

/** The notification that a phone has accepted a pairing code. */
function phoneAnswer(id) {
  const part = (tag, length) => ({ tag, attrs: {}, content: Buffer.alloc(length, 9) });
  const parts = [
    part('link_code_pairing_ref', 8),
    part('primary_identity_pub', 32),
    part('link_code_pairing_wrapped_primary_ephemeral_pub', 80)
  ];
  return {
    tag: 'notification',
    attrs: { type: 'link_code_companion_reg', id, from: 's.whatsapp.net' },
    content: [{ tag: 'link_code_companion_reg', attrs: {}, content: parts }]
  };
}

test('logout() unlinks the device', options, async t => {
  const server = await trustedServer(t);
  const auth = await pair({ baileys, server, scan: qr => server.scanQr(qr), auth: memoryAuth(baileys) });
  const session = createSession(t, server, { creds: auth.creds });
  await session.connect();
  const closed = next(session, 'close');
  await session.logout();
  assert.equal((await closed)[0].code, 401);
  assert.equal(server.devices.length, 0);
  await assert.rejects(session.connect(), { statusCode: 401, reason: 'failure' });
});
