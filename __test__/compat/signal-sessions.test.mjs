// Faults of Baileys' Signal repository and key store, without any socket. They explain texts of bots that cannot be
// decrypted, and texts that are not even requested again, on every socket layer; docs/testing.md describes them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  Curve,
  DEFAULT_CONNECTION_CONFIG,
  MISSING_KEYS_ERROR_TEXT,
  addTransactionCapability,
  generateSignalPubKey,
  initAuthCreds
} from 'baileys';
import pino from 'pino';

const logger = pino({ level: 'silent' });
const OPTIONS = { maxCommitRetries: 1, delayBetweenTriesMs: 1 };

/** Baileys requests a text with this error again, by a retry receipt. */
const REQUESTED_AGAIN = { message: 'No matching sessions found for message' };
/** Baileys acknowledges a text with this error, with an error code, and sends no retry receipt. */
const NOT_REQUESTED_AGAIN = { message: MISSING_KEYS_ERROR_TEXT };

for (const method of ['error', 'info', 'log', 'warn']) console[method] = () => {}; // libsignal writes sessions to the console

/** A device: its Signal repository, and its keys with the transactions of Baileys. */
class Device {
  #values = new Map();
  /** Called before keys are written. */
  beforeWrite = async () => {};
  preKeys = [1, 2].map(keyId => ({ keyId, pair: Curve.generateKeyPair() }));

  constructor(user) {
    this.jid = `${user}@s.whatsapp.net`;
    this.creds = { ...initAuthCreds(), me: { id: `${user}:0@s.whatsapp.net` } };
    for (const { keyId, pair } of this.preKeys) this.#values.set(`pre-key:${keyId}`, pair);
    const store = { get: (type, ids) => this.#get(type, ids), set: changes => this.#set(changes) };
    this.keys = addTransactionCapability(store, logger, OPTIONS);
    const auth = { creds: this.creds, keys: this.keys };
    this.repository = DEFAULT_CONNECTION_CONFIG.makeSignalRepository(auth, logger, async () => undefined);
  }

  async #get(type, ids) {
    return Object.fromEntries(ids.map(id => [id, this.#values.get(`${type}:${id}`)]));
  }

  async #set(changes) {
    await this.beforeWrite();
    for (const [type, byId] of Object.entries(changes)) {
      for (const [id, value] of Object.entries(byId)) this.#values.set(`${type}:${id}`, structuredClone(value));
    }
  }

  /** Starts a Signal session with another device. */
  meet({ jid, creds, preKeys: [{ keyId, pair }] }) {
    const session = {
      registrationId: creds.registrationId,
      identityKey: generateSignalPubKey(creds.signedIdentityKey.public),
      signedPreKey: {
        keyId: creds.signedPreKey.keyId,
        publicKey: generateSignalPubKey(creds.signedPreKey.keyPair.public),
        signature: creds.signedPreKey.signature
      },
      preKey: { keyId, publicKey: generateSignalPubKey(pair.public) }
    };
    return this.repository.injectE2ESession({ jid, session });
  }

  /** Encrypts as `sendMessage` does: in a transaction with the device's own id. */
  encrypt(to, text) {
    const work = () => this.repository.encryptMessage({ jid: to.jid, data: Buffer.from(text) });
    return this.keys.transaction(work, this.creds.me.id);
  }

  /** Decrypts as Baileys does for a received message: in a transaction with the JID of the sender. */
  async decrypt(from, { type, ciphertext }) {
    return Buffer.from(await this.repository.decryptMessage({ jid: from.jid, type, ciphertext })).toString();
  }
}

/** Two devices that have exchanged texts. */
async function acquainted() {
  const [a, b] = ['15550000001', '15550000002'].map(user => new Device(user));
  await a.meet(b);
  assert.equal(await b.decrypt(a, await a.encrypt(b, 'first')), 'first');
  assert.equal(await a.decrypt(b, await b.encrypt(a, 'answer')), 'answer');
  return { a, b };
}

test('texts that are sent and received in turn are decrypted', async () => {
  const { a, b } = await acquainted();
  for (const text of ['one', 'two']) {
    assert.equal(await b.decrypt(a, await a.encrypt(b, text)), text);
    assert.equal(await a.decrypt(b, await b.encrypt(a, text)), text);
  }
});

test('a text that is encrypted while another one is decrypted makes the next text undecryptable', async () => {
  const { a, b } = await acquainted();
  const received = await b.encrypt(a, 'at the same time');

  // The decryption has changed the session and waits until it can be written.
  let write = () => {};
  const isWaiting = new Promise(waits => {
    a.beforeWrite = () => {
      a.beforeWrite = async () => {};
      waits(undefined);
      return new Promise(resolve => (write = () => resolve(undefined)));
    };
  });
  const decrypted = a.decrypt(b, received);
  await isWaiting;
  // The encryption has another transaction. It reads the session without that change, and is written first.
  const one = await a.encrypt(b, 'one');
  write();
  assert.equal(await decrypted, 'at the same time');

  // The session that was written last does not know that a key was used for `one`. It uses this key again.
  const two = await a.encrypt(b, 'two');
  assert.equal(await b.decrypt(a, one), 'one');
  await assert.rejects(b.decrypt(a, two), REQUESTED_AGAIN);
});

// The server repeats a text if its receipt was lost because the connection ended. Baileys has decrypted the text, but it
// delivers a text to the program only after the receipt was sent.
test('a repeated text is requested again, but not if it is a pre-key message', async () => {
  const { a, b } = await acquainted();
  const text = await a.encrypt(b, 'a later text');
  assert.equal(text.type, 'msg');
  await b.decrypt(a, text);
  await assert.rejects(b.decrypt(a, text), REQUESTED_AGAIN);

  const stranger = new Device('15550000003');
  await stranger.meet({ ...b, jid: b.jid, preKeys: b.preKeys.slice(1) });
  const first = await stranger.encrypt(b, 'a first text');
  assert.equal(first.type, 'pkmsg');
  await b.decrypt(stranger, first);
  await assert.rejects(b.decrypt(stranger, first), NOT_REQUESTED_AGAIN);
});

test('sessions of a process that encrypt for one device at the same time write outside of their transactions', async () => {
  const writesOutside = async count => {
    const peer = new Device('15550000099');
    const devices = Array.from({ length: count }, (_, n) => new Device(`1555000000${n}`));
    await Promise.all(devices.map(device => device.meet(peer)));
    return Promise.all(
      devices.map(async device => {
        let outside = 0;
        await device.keys.transaction(async () => {
          // A transaction is written after its work.
          device.beforeWrite = async () => void outside++;
          await device.repository.encryptMessage({ jid: peer.jid, data: Buffer.from('text') });
          device.beforeWrite = async () => {};
        }, device.creds.me.id);
        return outside;
      })
    );
  };
  assert.deepEqual(await writesOutside(1), [0]);
  // libsignal has one queue of jobs for each address in a process, and runs all jobs in the asynchronous context of the
  // first. There, Baileys finds no transaction of the other sessions.
  const [first, ...others] = await writesOutside(4);
  assert.equal(first, 0);
  assert.ok(
    others.every(outside => outside > 0),
    String(others)
  );
});
