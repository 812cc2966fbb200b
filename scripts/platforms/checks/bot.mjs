// Two bots under `baileys-native/register` link by QR over TLS, log in, send encrypted texts to each other, and receive
// a flood.

import assert from 'node:assert/strict';
import { Agent } from 'node:https';
import * as baileys from 'baileys';
import { replaced } from 'baileys-native';
import { MockServer, sampleStanzas, trustTestRoot } from 'baileys-native/testing';

const FLOOD = 500;

/** Time limit of a connection and of a query, in milliseconds. It is long enough for an emulator on a busy machine. */
const TIMEOUT_MS = 300_000;

const NATIVE = Symbol.for('baileys-native');
assert.equal(/** @type {any} */ (baileys.makeNoiseHandler)[NATIVE], true);
assert.equal(replaced().length, 1);

/** @type {any} */
const silent = { level: 'silent', child: () => silent };
for (const level of ['trace', 'debug', 'info', 'warn', 'error', 'fatal']) silent[level] = () => {};

const server = await MockServer.start({ preKeyCount: 20 });
trustTestRoot(baileys, server.rootKey);

/**
 * Links a bot and resolves with its socket when it is open.
 *
 * @param {string} jid
 */
function start(jid) {
  const creds = { ...baileys.initAuthCreds(), accountSyncCounter: 1 }; // does not wait for the history
  /** @type {Record<string, Record<string, unknown>>} */
  const store = {};
  /** @type {any} */
  const keys = {
    /**
     * @param {string} type
     * @param {string[]} ids
     */
    get: async (type, ids) => Object.fromEntries(ids.map((/** @type {string} */ id) => [id, store[type]?.[id]])),
    /** @param {Record<string, Record<string, unknown>>} data */
    set: async data => Object.entries(data).forEach(([type, values]) => (store[type] = { ...store[type], ...values }))
  };
  return new Promise((resolve, reject) => {
    (function connect() {
      const sock = baileys.makeWASocket({
        waWebSocketUrl: server.url,
        agent: new Agent({ ca: server.ca }),
        auth: { creds, keys },
        connectTimeoutMs: TIMEOUT_MS,
        defaultQueryTimeoutMs: TIMEOUT_MS,
        logger: silent
      });
      assert.equal(/** @type {any} */ (sock.ws.constructor)[NATIVE], true);
      sock.ev.on('creds.update', update => Object.assign(creds, update));
      sock.ev.on('connection.update', ({ qr, connection, lastDisconnect }) => {
        if (qr) server.scanQr(qr, { jid, pushName: 'Bot' }).catch(reject);
        if (connection === 'open') resolve(sock);
        if (connection !== 'close') return;
        if (/** @type {any} */ (lastDisconnect?.error)?.output?.statusCode === baileys.DisconnectReason.restartRequired)
          connect();
        else reject(lastDisconnect?.error);
      });
    })();
  });
}

/**
 * Resolves with the next text that a bot gets.
 *
 * @param {any} sock
 */
function nextText(sock) {
  return new Promise(resolve => {
    sock.ev.on('messages.upsert', function listener(/** @type {any} */ { messages }) {
      for (const { key, message } of messages) {
        const text = message?.conversation || message?.extendedTextMessage?.text;
        if (key.fromMe || !text) continue;
        sock.ev.off('messages.upsert', listener);
        resolve(text);
      }
    });
  });
}

const ada = await start('15550001234');
console.log('first bot linked');
const bob = await start('15550005678');
console.log('second bot linked');
const [toBob, toAda] = [nextText(bob), nextText(ada)];
await ada.sendMessage('15550005678@s.whatsapp.net', { text: 'hello' });
assert.equal(await toBob, 'hello');
console.log('first text received');
await bob.sendMessage('15550001234@s.whatsapp.net', { text: 'hello yourself' });
assert.equal(await toAda, 'hello yourself');
console.log('second text received');

const [connection] = server.connections.slice(-1);
let received = 0;
bob.ws.on('CB:relay', () => received++);
await connection.prepareFlood(sampleStanzas.message, FLOOD, { perMessage: 8 }).start();
await bob.query({ tag: 'iq', attrs: { to: 's.whatsapp.net', type: 'get', xmlns: 'w:p' } });
assert.equal(received, FLOOD);

await Promise.all([ada.end(undefined), bob.end(undefined)]);
await server.stop();
console.log(`passed: 2 linked, 2 texts, ${FLOOD} stanzas`);
process.exit(0);
