// The Signal keys of examples/cluster: the changes of a transaction are written together, also if several sessions of a
// process write to the same device at the same time.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Curve, DEFAULT_CONNECTION_CONFIG, getNextPreKeys, initAuthCreds, signedKeyPair } from 'baileys';
import pino from 'pino';
import { SignalKeys } from '../../examples/cluster/signal-keys.mjs';

const PEER = '15550000099@s.whatsapp.net';
const logger = pino({ level: 'silent' });

/** A store in memory, and the writes to it. */
function memoryStore() {
  const values = new Map();
  /** @type {{ fields: string[], events: object[] }[]} */
  const commits = [];
  return {
    values,
    commits,
    read: async fields => fields.map(field => values.get(field) ?? null),
    commit: async ({ keys, events }) => {
      commits.push({ fields: keys.map(([field]) => field), events });
      for (const [field, json] of keys) {
        if (json === null) values.delete(field);
        else values.set(field, json);
      }
    }
  };
}

/** A session with a Signal session with {@link PEER}. */
async function openSession() {
  const store = memoryStore();
  const keys = new SignalKeys(store);
  const creds = { ...initAuthCreds(), me: { id: '15550000001:1@s.whatsapp.net' } };
  const repository = DEFAULT_CONNECTION_CONFIG.makeSignalRepository({ creds, keys }, logger, async () => undefined);
  const identity = Curve.generateKeyPair();
  const signedPreKey = signedKeyPair(identity, 1);
  const publicKey = pair => Buffer.concat([Buffer.from([5]), pair.public]);
  const session = {
    registrationId: 5,
    identityKey: publicKey(identity),
    signedPreKey: { keyId: 1, publicKey: publicKey(signedPreKey.keyPair), signature: signedPreKey.signature },
    preKey: { keyId: 2, publicKey: publicKey(Curve.generateKeyPair()) }
  };
  await keys.exclusively(() => repository.injectE2ESession({ jid: PEER, session }));
  store.commits.length = 0;
  return { store, keys, encrypt: () => repository.encryptMessage({ jid: PEER, data: Buffer.from('text') }) };
}

test('sessions that write to one device at the same time commit their keys together with their events', async () => {
  const sessions = await Promise.all(Array.from({ length: 4 }, openSession));
  await Promise.all(
    sessions.map(({ keys, encrypt }, id) =>
      keys.exclusively(async () => {
        keys.addEvent({ id });
        await encrypt();
      })
    )
  );
  for (const [id, { store }] of sessions.entries()) {
    assert.equal(store.commits.length, 1);
    assert.deepEqual(store.commits[0].events, [{ id }]);
    assert.ok(store.commits[0].fields.some(field => field.startsWith('session:')));
  }
});

test('a transaction that fails writes nothing', async () => {
  const { store, keys, encrypt } = await openSession();
  const before = new Map(store.values);
  await assert.rejects(
    keys.exclusively(async () => {
      keys.addEvent({ id: 1 });
      await encrypt();
      throw new Error('stopped');
    }),
    /stopped/
  );
  assert.deepEqual(store.commits, []);
  assert.deepEqual(store.values, before);
  await keys.exclusively(encrypt);
  assert.deepEqual(
    store.commits.map(({ events }) => events),
    [[]]
  );
});

test('transactions of a session run one after another and see the changes of earlier ones', async () => {
  const { keys } = await openSession();
  const seen = await Promise.all(
    [1, 2, 3].map(value =>
      keys.exclusively(async () => {
        const { count } = await keys.get('test', ['count']);
        await keys.set({ test: { count: { value: (count?.value ?? 0) + value } } });
        return (await keys.get('test', ['count'])).count.value;
      })
    )
  );
  assert.deepEqual(seen, [1, 3, 6]);
  await keys.exclusively(() => keys.set({ test: { count: null } }));
  assert.deepEqual(await keys.exclusively(() => keys.get('test', ['count'])), {});
});

test('functions of Baileys read and write pre-keys', async () => {
  const { store, keys } = await openSession();
  const creds = initAuthCreds();
  const { preKeys } = await keys.exclusively(() => getNextPreKeys({ creds, keys }, 3));
  assert.deepEqual(Object.keys(preKeys), ['1', '2', '3']);
  assert.deepEqual(store.commits.at(-1)?.fields, ['pre-key:1', 'pre-key:2', 'pre-key:3']);
});

test('a failed read fails the transaction, and a failed write forgets what was read', async () => {
  const { store, keys } = await openSession();
  const { read, commit } = store;
  const failing = async () => {
    throw new Error('no connection');
  };
  const broken = new SignalKeys({ read: failing, commit });
  // Baileys catches the error of a read.
  await assert.rejects(
    broken.exclusively(() => broken.get('session', ['x']).catch(() => {})),
    /keys could not be read/
  );

  let reads = 0;
  const counted = new SignalKeys({ read: fields => (reads++, read(fields)), commit: failing });
  await counted.exclusively(() => counted.get('session', ['x']));
  await counted.exclusively(() => counted.get('session', ['x']));
  assert.equal(reads, 1);
  await assert.rejects(
    counted.exclusively(() => counted.set({ session: { y: {} } })),
    /no connection/
  );
  await counted.exclusively(() => counted.get('session', ['x']));
  assert.equal(reads, 2);
  await assert.rejects(keys.get('session', ['x']), /outside of a transaction/);
});
