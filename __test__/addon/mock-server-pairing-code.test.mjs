// Linking by a pairing code on the mock server: Baileys on both layers, and NativeSession.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import * as baileys from 'baileys';
import { trustTestRoot } from '../../js/testing/index.mjs';
import { ROOT } from '../../scripts/shared/root.mjs';
import { closed, connectionUpdate, login, memoryAuth, openSocket } from '../support/baileys-client.mjs';
import { runModule } from '../support/child.mjs';
import { startMockServer } from '../support/mock-server.mjs';
import { createSession, next, startServer } from '../support/native-session.mjs';

const options = { timeout: 90_000 };
const PHONE = '15550000042';

/** A server that the Baileys of this process trusts. */
async function trustedServer(t, more) {
  const server = await startMockServer(t, { preKeyCount: 100, ...more });
  t.after(trustTestRoot(baileys, server.rootKey));
  return server;
}

/** Requests a code by a new client of Baileys. */
async function askForCode(server, auth) {
  const sock = openSocket({ baileys, server, auth });
  const end = closed(sock);
  await connectionUpdate(sock, ({ qr }) => qr);
  const asked = once(server, 'pairingCode');
  const code = await sock.requestPairingCode(PHONE);
  assert.equal((await asked)[0], PHONE);
  return { sock, code, end };
}

test('Baileys on JavaScript links by code and logs in', options, async t => {
  const server = await trustedServer(t);
  const auth = memoryAuth(baileys);
  const { code, end } = await askForCode(server, auth);
  assert.match(code, /^[1-9A-Z]{8}$/);
  const [device, error] = await Promise.all([server.enterPairingCode(code, { pushName: 'By code' }), end]);
  assert.equal(error.output.statusCode, 515);
  assert.equal(device.user, PHONE);
  assert.equal(auth.creds.me.id, device.jid);
  assert.equal(auth.creds.registered, true);
  await login({ baileys, server, auth });
  assert.equal(server.connections.at(-1).device, device);
});

test('a wrong code is refused by the phone', options, async t => {
  const server = await trustedServer(t);
  const { sock, code, end } = await askForCode(server, memoryAuth(baileys));
  const wrong = code.replace(/^./, first => (first === 'A' ? 'B' : 'A'));
  await assert.rejects(server.enterPairingCode(wrong, { phoneNumber: PHONE }), /the pairing code is wrong/);
  await assert.rejects(server.enterPairingCode(code, { phoneNumber: '1' }), /no client .* has asked/);
  await sock.end(undefined);
  await end;
});

test('Baileys on baileys-native links by code', options, async () => {
  const found = await runModule(
    ['--import', 'baileys-native/register'],
    `import { once } from 'node:events';
    import * as baileys from 'baileys';
    import { replaced } from 'baileys-native';
    import { MockServer, trustTestRoot } from 'baileys-native/testing';
    import { closed, connectionUpdate, login, memoryAuth, openSocket } from '${ROOT}__test__/support/baileys-client.mjs';
    const server = await MockServer.start({ preKeyCount: 100 });
    trustTestRoot(baileys, server.rootKey);
    const auth = memoryAuth(baileys);
    const sock = openSocket({ baileys, server, auth });
    const end = closed(sock);
    await connectionUpdate(sock, ({ qr }) => qr);
    const asked = once(server, 'pairingCode');
    const code = await sock.requestPairingCode('${PHONE}');
    await asked;
    const [device] = await Promise.all([server.enterPairingCode(code), end]);
    const again = await login({ baileys, server, auth });
    await again.end(undefined);
    await server.stop();
    console.log(JSON.stringify([replaced().length, device.jid === auth.creds.me.id, server.connections.length]));
    process.exit(0);`
  );
  assert.deepEqual(found, [1, true, 2]);
});

test('NativeSession links by code', options, async t => {
  const server = await startServer(t);
  const session = createSession(t, server);
  const paired = next(session, 'paired');
  const asked = once(server, 'pairingCode');
  const connected = session.connect();
  await next(session, 'qr');
  const code = await session.requestPairingCode(PHONE, { code: 'ABCD1234' });
  assert.equal(code, 'ABCD1234');
  await asked;
  const device = await server.enterPairingCode(code);
  assert.equal((await paired)[0].id, device.jid);
  await connected;
  assert.equal(session.credentials.registered, true);
});

test('a new group member gets the whole group, the other members only the addition', options, async t => {
  const server = await trustedServer(t, { tls: false, acceptUnknown: true });
  const client = async user => {
    const auth = memoryAuth(baileys);
    auth.creds.me = { id: `${user}:1@s.whatsapp.net`, name: user };
    return login({ baileys, server, auth });
  };
  const [ada, bob] = [await client('15550000001'), await client('15550000002')];
  const group = server.createGroup({ subject: 'Readers', creator: '15550000001', participants: [] });
  const upsert = new Promise(resolve => bob.ev.on('groups.upsert', resolve));
  await ada.groupParticipantsUpdate(group.id, ['15550000002@s.whatsapp.net'], 'add');
  const [{ id, subject, participants }] = await upsert;
  assert.deepEqual([id, subject, participants.length], [group.id, 'Readers', 2]);
});

test('the server works with the definitions of 7.0.0-rc.1 to rc.5, which have no fromObject', options, async t => {
  const without = target =>
    new Proxy(target, {
      get: (object, key) => {
        if (key === 'fromObject') return undefined;
        const value = object[key];
        return typeof value === 'function' && /^[A-Z]/.test(String(key)) ? without(value) : value;
      }
    });
  const server = await trustedServer(t, { tls: false, baileys: { ...baileys, proto: without(baileys.proto) } });
  const auth = memoryAuth(baileys);
  const sock = openSocket({ baileys, server, auth });
  const end = closed(sock);
  const { qr } = await connectionUpdate(sock, update => update.qr);
  await Promise.all([server.scanQr(qr), end]);
  await login({ baileys, server, auth });
});
