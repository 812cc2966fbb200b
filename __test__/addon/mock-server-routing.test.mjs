// Clients of one mock server exchange messages: unmodified Baileys 7 on its own JavaScript socket layer.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import * as baileys from 'baileys';
import { trustTestRoot } from '../../js/testing/index.mjs';
import { login, pair } from '../support/baileys-client.mjs';
import { root, trustRoot } from '../support/mock-clients.mjs';
import { startMockServer } from '../support/mock-server.mjs';
import { nextWhere } from '../support/native-session.mjs';

trustRoot();

const ADA = '15550000001';
const BOB = '15550000002';
const pn = user => `${user}@s.whatsapp.net`;
const config = { keepAliveIntervalMs: 300_000, getMessage: async ({ id }) => ({ conversation: `${id} again` }) };

/** libsignal writes sessions with their keys to the console. */
const quiet = ['info', 'log', 'warn', 'error'];

let restoreConsole;
before(() => {
  const originals = quiet.map(name => console[name]);
  for (const name of quiet) console[name] = () => {};
  restoreConsole = () => quiet.forEach((name, index) => (console[name] = originals[index]));
});
after(() => restoreConsole());

/** A server with linked devices, none of them connected. */
async function setUp(t, options = {}, users = [ADA, BOB], lib = baileys) {
  const server = await startMockServer(t, { root, preKeyCount: 100, ...options });
  const failures = [];
  server.on('failure', error => failures.push(error));
  t.after(() => assert.deepEqual(failures, []));
  const auths = [];
  for (const jid of users) {
    auths.push(await pair({ baileys: lib, server, scan: qr => server.scanQr(qr, { jid, pushName: jid }), config }));
  }
  const enter = index => login({ baileys: lib, server, auth: auths[index], config });
  return { server, auths, enter, devices: server.devices };
}

/** Resolves with the first argument of an event that the predicate accepts. */
const event = async (emitter, name, predicate) => (await nextWhere(emitter, name, predicate))[0];

const textOf = ({ message }) => message?.conversation || message?.extendedTextMessage?.text;
const text = (sock, wanted) =>
  event(sock.ev, 'messages.upsert', ({ messages }) =>
    messages.some(item => !item.key.fromMe && textOf(item) === wanted)
  );

/** Resolves when every device has acknowledged all stanzas. */
async function drained(server, devices = server.devices) {
  while (devices.some(device => server.pending(device).length > 0)) await once(server, 'acknowledged');
}

describe('routing of messages', () => {
  test('a text, its receipts, and the answer, between phone numbers', async t => {
    const { server, enter } = await setUp(t);
    const [ada, bob] = [await enter(0), await enter(1)];
    const arrives = text(bob, 'hello');
    const delivered = event(ada.ws, 'CB:receipt', ({ attrs }) => attrs.type === undefined);
    const { key } = await ada.sendMessage(pn(BOB), { text: 'hello' });
    const { messages, type } = await arrives;
    const message = messages.find(item => textOf(item) === 'hello');
    assert.equal(type, 'notify');
    assert.equal(message.pushName, ADA);
    assert.deepEqual(
      { ...message.key, participant: undefined },
      { ...message.key, remoteJid: pn(ADA), fromMe: false, id: key.id, participant: undefined }
    );
    assert.equal((await delivered).attrs.from, `${BOB}:1@s.whatsapp.net`);

    const read = event(ada.ws, 'CB:receipt', ({ attrs }) => attrs.type === 'read');
    await bob.readMessages([message.key]);
    assert.equal((await read).attrs.id, key.id);

    await drained(server);
    const answer = text(ada, 'hello yourself');
    await bob.sendMessage(message.key.remoteJid, { text: 'hello yourself' }, { quoted: message });
    await answer;
    const [{ node }] = server.stanzas.filter(item => item.direction === 'out' && item.node.tag === 'message');
    assert.deepEqual(
      { ...node.attrs, t: 't' },
      {
        id: key.id,
        type: 'text',
        from: `${ADA}:1@s.whatsapp.net`,
        addressing_mode: 'pn',
        sender_lid: '100000000000001@lid',
        t: 't',
        notify: ADA
      }
    );
    assert.deepEqual(
      node.content.slice(0, 2).map(({ tag, attrs }) => [tag, attrs.type]), // Baileys sometimes adds a reporting token
      [
        ['enc', 'pkmsg'],
        ['device-identity', undefined]
      ]
    );
  });

  test('a text between LIDs', async t => {
    const { enter, devices } = await setUp(t);
    const [ada, bob] = [await enter(0), await enter(1)];
    const arrives = text(bob, 'by LID');
    await ada.sendMessage(devices[1].lid.replace(/:\d+/, ''), { text: 'by LID' });
    const { messages } = await arrives;
    assert.equal(messages.at(-1).key.remoteJid, devices[0].lid.replace(/:\d+/, ''));
    assert.equal(messages.at(-1).key.remoteJidAlt, pn(ADA));
  });

  test('the other devices of the sender get a copy with the recipient', async t => {
    const { enter } = await setUp(t, {}, [ADA, ADA, BOB]);
    const [first, second, bob] = [await enter(0), await enter(1), await enter(2)];
    const copy = event(second.ev, 'messages.upsert', ({ messages }) => textOf(messages[0]) === 'to Bob');
    const confirmed = event(first.ws, 'CB:receipt', ({ attrs }) => attrs.type === 'sender');
    const arrives = text(bob, 'to Bob');
    await first.sendMessage(pn(BOB), { text: 'to Bob' });
    const { messages } = await copy;
    assert.equal(messages[0].key.fromMe, true);
    assert.equal(messages[0].key.remoteJid, pn(BOB));
    await arrives;
    assert.equal((await confirmed).attrs.recipient, pn(BOB));
  });

  test('a number without a linked device has a phone that receives messages', async t => {
    const { server, enter } = await setUp(t, {}, [ADA]);
    const ada = await enter(0);
    const acknowledged = event(ada.ws, 'CB:ack,class:message');
    await ada.sendMessage(pn('15559998888'), { text: 'anybody there?' });
    assert.equal((await acknowledged).attrs.error, undefined);
    const { node } = server.stanzas.find(item => item.direction === 'in' && item.node.tag === 'message');
    const targets = node.content.find(({ tag }) => tag === 'participants').content.map(({ attrs }) => attrs.jid);
    assert.deepEqual(targets.sort(), [pn(ADA), pn('15559998888')]);
    assert.deepEqual(await ada.onWhatsApp('15559998888'), [{ jid: pn('15559998888'), exists: true }]);
  });

  test('a message that cannot be decrypted is requested and sent again', async t => {
    const { server, enter, auths } = await setUp(t);
    const [ada, bob] = [await enter(0), await enter(1)];
    for (const [sender, reader, to] of [
      [ada, bob, BOB],
      [bob, ada, ADA]
    ]) {
      const arrives = text(reader, `to ${to}`);
      await sender.sendMessage(pn(to), { text: `to ${to}` });
      await arrives;
      await drained(server);
    }
    // Ada has a message from Bob, so she sends no more pre-key messages. Then Bob deletes the session.
    await auths[1].keys.set({ session: { '100000000000001_1.1': null } });
    const retry = event(ada.ws, 'CB:receipt', ({ attrs }) => attrs.type === 'retry');
    const again = text(bob, 'second again');
    await ada.sendMessage(pn(BOB), { text: 'second' }, { messageId: 'second' });
    assert.equal((await retry).attrs.from, `${BOB}:1@s.whatsapp.net`);
    await again;
  });

  test('without routing, messages are acknowledged and not delivered', async t => {
    const { server, enter, devices } = await setUp(t, { routing: false });
    const [ada] = [await enter(0), await enter(1)];
    const acknowledged = event(ada.ws, 'CB:ack,class:message');
    await ada.sendMessage(pn(BOB), { text: 'into the void' });
    await acknowledged;
    assert.deepEqual(server.pending(devices[1]), []);
  });
});

describe('the offline queue', () => {
  test('the offline queue is announced, counted and delivered in order at login, and empty after the acks', async t => {
    const { server, enter, devices } = await setUp(t);
    const ada = await enter(0);
    const queued = [];
    server.on('queued', (node, device) => queued.push([node.attrs.id, device.user]));
    for (const id of ['Q1', 'Q2', 'Q3']) await ada.sendMessage(pn(BOB), { text: id }, { messageId: id });
    await server.waitFor(({ direction, node }) => direction === 'out' && node.tag === 'ack' && node.attrs.id === 'Q3');
    assert.deepEqual(queued, [
      ['Q1', BOB],
      ['Q2', BOB],
      ['Q3', BOB]
    ]);
    assert.deepEqual(
      server.pending(devices[1]).map(({ attrs }) => attrs.id),
      ['Q1', 'Q2', 'Q3']
    );
    const from = server.stanzas.length;
    await enter(1);
    await drained(server, [devices[1]]);
    const out = server.stanzas.slice(from).filter(item => item.direction === 'out');
    const ib = out.filter(({ node }) => node.tag === 'ib').map(({ node }) => node.content[0]);
    assert.deepEqual(
      ib.map(({ tag, attrs }) => [tag, attrs.count, attrs.message]),
      [
        ['offline_preview', '3', '3'],
        ['offline', '3', undefined]
      ]
    );
    const messages = out
      .filter(({ node }) => node.tag === 'message')
      .map(({ node }) => [node.attrs.id, node.attrs.offline]);
    assert.deepEqual(messages, [
      ['Q1', '1'],
      ['Q2', '2'],
      ['Q3', '3']
    ]);
  });

  test('the offline queue delivers unacknowledged stanzas again at the next login', async t => {
    const { server, enter, devices } = await setUp(t);
    const bob = await enter(1);
    await bob.end(undefined);
    const group = server.createGroup({ subject: 'Kept', creator: ADA, participants: [BOB] });
    const [notification] = server.pending(devices[1]);
    assert.equal(notification.attrs.from, group.id);
    const remove = server.handle('ack', () => null); // the acks do not reach the queue
    const again = await enter(1);
    await server.waitFor(({ direction, node }) => direction === 'in' && node.attrs.class === 'notification');
    assert.equal(server.pending(devices[1]).length, 1);
    await again.end(undefined);
    remove();
    await enter(1);
    await drained(server, [devices[1]]);
  });

  test('a message stays queued after its read receipt, until its delivery receipt', async t => {
    const { server, enter, devices } = await setUp(t);
    const [ada, bob] = [await enter(0), await enter(1)];
    // Bob sends a receipt for the message, but the server ignores it.
    const remove = server.handle('receipt', () => null);
    const unheard = server.waitFor(({ direction, node }) => direction === 'in' && node.tag === 'receipt');
    await ada.sendMessage(pn(BOB), { text: 'kept' }, { messageId: 'kept' });
    await unheard;
    remove();
    const kept = () => server.pending(devices[1]).some(({ attrs }) => attrs.id === 'kept');
    for (const [type, stays] of [
      ['read', true],
      [undefined, false]
    ]) {
      const told = event(bob.ws, 'CB:ack,class:receipt', ({ attrs }) => attrs.id === 'kept');
      await bob.sendReceipt(pn(ADA), undefined, ['kept'], type);
      await told;
      assert.equal(kept(), stays, `after a receipt of type ${type}`);
    }
  });
});

describe('prekeys', () => {
  test('a bundle has a unique one-time key, or none if all are used', async t => {
    const { server, enter, devices } = await setUp(t);
    const ada = await enter(0);
    const publicKey = Buffer.from(baileys.Curve.generateKeyPair().public);
    devices[1].preKeys.set(7, publicKey);
    const fetch = async jid => {
      const user = { tag: 'user', attrs: { jid } };
      const iq = { tag: 'iq', attrs: { to: 's.whatsapp.net', type: 'get', xmlns: 'encrypt' } };
      const answer = await ada.query({ ...iq, content: [{ tag: 'key', attrs: {}, content: [user] }] });
      return answer.content[0].content[0];
    };
    const tags = ({ content }) => content.map(({ tag }) => tag);
    const first = await fetch(devices[1].jid);
    assert.deepEqual(tags(first), ['registration', 'type', 'identity', 'skey', 'key']);
    assert.deepEqual(first.content[2].content, devices[1].identityKey);
    assert.deepEqual(first.content[4].content[1].content, publicKey);
    assert.deepEqual(tags(await fetch(devices[1].lid)), ['registration', 'type', 'identity', 'skey']);
    assert.deepEqual(tags(await fetch(`${BOB}:9@s.whatsapp.net`)), ['error']);
    // The server tells Bob that he has no pre-keys left.
    const [notification] = server.pending(devices[1]);
    assert.deepEqual(notification.content, [{ tag: 'count', attrs: { value: '0' } }]);
  });

  test('a phone has a bundle with a valid signature', async t => {
    const { enter } = await setUp(t, {}, [ADA]);
    const ada = await enter(0);
    assert.equal(await ada.assertSessions(['100000000000001@lid'], true), true);
    assert.deepEqual(await ada.signalRepository.validateSession('100000000000001@lid'), { exists: true });
  });

  test('a media connection is refused', async t => {
    const { enter } = await setUp(t, {}, [ADA]);
    const ada = await enter(0);
    await assert.rejects(
      ada.refreshMediaConn(true),
      error => error.message === 'service-unavailable' && error.data === 503
    );
  });
});

describe('groups', () => {
  for (const groupAddressing of ['lid', 'pn']) {
    test(`groups can be created, queried, written to and left, addressed by ${groupAddressing}`, async t => {
      const { server, enter, devices } = await setUp(t, { groupAddressing });
      const [ada, bob] = [await enter(0), await enter(1)];
      const told = event(bob.ev, 'groups.upsert');
      const made = await ada.groupCreate('Two', [pn(BOB)]);
      assert.equal((await told)[0].id, made.id);
      const members = [ADA, BOB].map((user, index) =>
        groupAddressing === 'pn' ? pn(user) : devices[index].lid.replace(/:\d+/, '')
      );
      const metadata = await bob.groupMetadata(made.id);
      assert.equal(metadata.subject, 'Two');
      assert.equal(metadata.addressingMode, groupAddressing);
      assert.deepEqual(
        metadata.participants.map(({ id, admin }) => [id, admin]),
        [
          [members[0], 'superadmin'],
          [members[1], null]
        ]
      );
      for (const [sender, reader, name] of [
        [ada, bob, 'from Ada'],
        [bob, ada, 'from Bob']
      ]) {
        for (const number of [1, 2]) {
          const arrives = text(reader, `${name} ${number}`);
          await sender.sendMessage(made.id, { text: `${name} ${number}` });
          const { messages } = await arrives;
          assert.equal(messages.at(-1).key.remoteJid, made.id);
          await drained(server);
        }
      }
      const encs = server.stanzas
        .filter(({ direction, node }) => direction === 'out' && node.tag === 'message')
        .map(({ node }) =>
          node.content
            .filter(({ tag }) => tag === 'enc')
            .map(({ attrs }) => attrs.type)
            .join('+')
        );
      assert.deepEqual([encs[0], encs[1], encs[3]], ['pkmsg+skmsg', 'skmsg', 'skmsg']);
      assert.match(encs[2], /^(pk)?msg\+skmsg$/);

      const renamed = event(bob.ev, 'groups.update', ([update]) => update.subject === 'Three');
      await ada.groupUpdateSubject(made.id, 'Three');
      await renamed;
      await bob.groupLeave(made.id);
      assert.deepEqual([...server.groups[0].participants.keys()], [ADA]);
      await assert.rejects(bob.groupMetadata(made.id), /forbidden/);
      const refused = event(bob.ws, 'CB:ack,class:message', ({ attrs }) => attrs.error === '403');
      await bob.relayMessage(
        made.id,
        { conversation: 'still here' },
        { participant: { jid: devices[0].jid, count: 1 } }
      );
      await refused;
    });
  }

  test('admins can change the members and settings of a group', async t => {
    const { enter } = await setUp(t);
    const [ada, bob] = [await enter(0), await enter(1)];
    const { id } = await ada.groupCreate('Club', [pn(BOB)]);
    const third = '15550000003';
    assert.deepEqual(
      (await ada.groupParticipantsUpdate(id, [pn(third), pn(BOB)], 'add')).map(({ status }) => status),
      ['200', '409']
    );
    await assert.rejects(bob.groupParticipantsUpdate(id, [pn(third)], 'remove'), /forbidden/);
    await ada.groupParticipantsUpdate(id, [pn(BOB)], 'promote');
    assert.equal((await bob.groupParticipantsUpdate(id, [pn(third)], 'remove'))[0].status, '200');
    await bob.groupSettingUpdate(id, 'announcement');
    await bob.groupToggleEphemeral(id, 86_400);
    await bob.groupUpdateDescription(id, 'Members only');
    const metadata = (await ada.groupFetchAllParticipating())[id];
    assert.deepEqual(
      [metadata.size, metadata.announce, metadata.restrict, metadata.ephemeralDuration, metadata.desc],
      [2, true, false, 86_400, 'Members only']
    );
    assert.equal(metadata.participants[1].admin, 'admin');
    await assert.rejects(ada.groupMetadata('120363999999999999@g.us'), /item-not-found/);
    await assert.rejects(ada.groupMemberAddMode(id, 'all_member_add'), /feature-not-implemented/);
  });
});

describe('presence', () => {
  test('presence reaches subscribers, and chat states reach the chat', async t => {
    const { server, enter } = await setUp(t);
    const [ada, bob] = [await enter(0), await enter(1)];
    const presence = wanted =>
      event(ada.ev, 'presence.update', ({ presences }) => Object.values(presences)[0].lastKnownPresence === wanted);
    await server.waitFor(({ connection, node }) => connection === 3 && node.attrs.type === 'available');
    const here = presence('available');
    await ada.presenceSubscribe(pn(BOB));
    assert.equal((await here).id, pn(BOB));

    const composing = presence('composing');
    await bob.sendPresenceUpdate('composing', pn(ADA));
    assert.equal((await composing).id, pn(BOB));
    const recording = presence('recording');
    await bob.sendPresenceUpdate('recording', pn(ADA));
    await recording;

    const group = server.createGroup({ subject: 'Typing', creator: ADA, participants: [BOB], addressingMode: 'pn' });
    const inGroup = presence('composing');
    await bob.sendPresenceUpdate('composing', group.id);
    assert.deepEqual(await inGroup, { id: group.id, presences: { [pn(BOB)]: { lastKnownPresence: 'composing' } } });

    const away = presence('unavailable');
    await bob.sendPresenceUpdate('unavailable');
    await away;
    const back = presence('available');
    await bob.sendPresenceUpdate('available');
    await back;
    const gone = presence('unavailable');
    await bob.end(undefined);
    assert.ok(Object.values((await gone).presences)[0].lastSeen > 0);
  });
});

describe('other release lines of Baileys', () => {
  for (const line of ['baileys-6.7.24', 'baileys-6.17.16']) {
    test(`${line}: texts both ways and to a group`, async t => {
      const namespace = await import(line);
      const lib = { ...namespace.default, ...namespace };
      t.after(trustTestRoot(lib, root.public));
      const options = { baileys: line, groupAddressing: 'pn', greetingDelayMs: 250 };
      const { server, enter } = await setUp(t, options, [ADA, BOB], lib);
      const [ada, bob] = [await enter(0), await enter(1)];
      // 6.17 delays events until a phone has sent a key for the app state.
      for (const { ev } of [ada, bob]) while (ev.isBuffering()) ev.flush();
      for (const [sender, reader, to] of [
        [ada, bob, BOB],
        [bob, ada, ADA]
      ]) {
        const arrives = text(reader, `to ${to}`);
        await sender.sendMessage(pn(to), { text: `to ${to}` });
        await arrives;
        await drained(server);
      }
      const { id } = await ada.groupCreate('Old', [pn(BOB)]);
      await drained(server);
      const arrives = text(bob, 'to all');
      await ada.sendMessage(id, { text: 'to all' });
      await arrives;
    });
  }
});
