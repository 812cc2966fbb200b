// An unmodified `makeWASocket` that is linked to the server of the bench and exchanges encrypted texts.

import { randomBytes } from 'node:crypto';
import { Agent } from 'node:https';
import * as baileys from 'baileys';
import { trustTestRoot } from 'baileys-native/testing';
import { checkSocket, memoryKeys, silentLogger, statusCode } from '../../scripts/shared/bot.mjs';
import { within } from '../../scripts/shared/child.mjs';

const RESTART_REQUIRED = 515;
const KEEP_ALIVE_MS = 600_000;
/** Time limit of a wave, in milliseconds. */
const WAVE_LIMIT_MS = 30_000;
/** Time limit of Baileys for the texts that it has received, in milliseconds. */
const ARRIVAL_LIMIT_MS = 5000;

/** libsignal writes sessions to the console. */
for (const method of /** @type {const} */ (['info', 'log', 'warn'])) console[method] = () => {};

/** @typedef {{ backend: 'js' | 'native', url: string, ca?: string, rootKey: string }} BotSettings */

export class WholeBot {
  #settings;
  #scan;
  #creds = { ...baileys.initAuthCreds(), accountSyncCounter: 1 };
  #keys = memoryKeys();
  /** Ids of sent texts without a delivery receipt. */
  #undelivered = new Set();
  /** @type {(value?: unknown) => void} */
  #delivered = () => {};
  #sock;
  #sent = 0;
  #prefix = `3EB0${randomBytes(4).toString('hex').toUpperCase()}`;
  /** Ids of the texts that Baileys has delivered. */
  received = new Set();
  /** Called when Baileys has delivered texts. */
  #onArrival = () => {};

  /**
   * @param {BotSettings} settings
   * @param {(qr: string) => Promise<unknown>} scan
   */
  constructor(settings, scan) {
    this.#settings = settings;
    this.#scan = scan;
    trustTestRoot(baileys, Buffer.from(settings.rootKey, 'hex'));
  }

  /** Links the device and logs in. */
  async start() {
    await this.#connect((sock, { qr, connection, lastDisconnect }, done) => {
      if (qr) this.#scan(qr).catch(done);
      if (connection !== 'close') return;
      const restart = statusCode(lastDisconnect?.error) === RESTART_REQUIRED;
      done(restart ? undefined : (lastDisconnect?.error ?? new Error('the connection closed')));
    });
    this.#sock = await this.#connect((sock, { connection, lastDisconnect }, done) => {
      if (connection === 'open') done();
      if (connection === 'close') done(lastDisconnect?.error ?? new Error('the connection closed'));
    });
    this.#sock.ws.on('CB:receipt', receipt => this.#onReceipt(receipt));
    this.#sock.ev.on('messages.upsert', ({ messages }) => {
      for (const { key, message } of messages) {
        if (!key.fromMe && (message?.conversation || message?.extendedTextMessage)) this.received.add(key.id);
      }
      this.#onArrival();
    });
  }

  /**
   * Sends texts at once. Resolves when the receipts of the receiver for all of them have arrived.
   *
   * @param {string} jid
   * @param {number} count
   */
  async wave(jid, count) {
    let timer;
    const delivered = new Promise((resolve, reject) => {
      this.#delivered = resolve;
      timer = setTimeout(() => reject(new Error('a wave of texts was not delivered')), WAVE_LIMIT_MS);
    });
    const send = async () => {
      const messageId = `${this.#prefix}${String(this.#sent++).padStart(10, '0')}`;
      this.#undelivered.add(messageId);
      await this.#sock.sendMessage(jid, { text: `Text number ${this.#sent} of this bot` }, { messageId });
    };
    await Promise.all(Array.from({ length: count }, send));
    await delivered;
    clearTimeout(timer);
  }

  /** Resolves when Baileys has delivered `count` texts. Baileys may delay events. */
  async arrived(count) {
    const arrived = new Promise(resolve => {
      this.#onArrival = () => this.received.size >= count && resolve(undefined);
      this.#onArrival();
    });
    await within(ARRIVAL_LIMIT_MS, arrived, () => `${this.received.size} of ${count} texts have arrived`);
    if (this.received.size !== count) throw new Error(`${this.received.size} texts have arrived, not ${count}`);
  }

  #onReceipt({ attrs, content }) {
    if (attrs.type !== undefined && attrs.type !== 'inactive') return;
    const list = Array.isArray(content) ? content.find(({ tag }) => tag === 'list') : undefined;
    for (const id of [attrs.id, ...(list?.content ?? []).map(item => item.attrs.id)]) this.#undelivered.delete(id);
    if (this.#undelivered.size === 0) this.#delivered();
  }

  /** Connects. Resolves with the socket when `onUpdate` calls its argument `done`. */
  #connect(onUpdate) {
    const { url, ca, backend } = this.#settings;
    const sock = baileys.makeWASocket({
      waWebSocketUrl: url,
      agent: ca === undefined ? undefined : new Agent({ ca }),
      auth: { creds: this.#creds, keys: this.#keys },
      logger: silentLogger(),
      shouldSyncHistoryMessage: () => false,
      keepAliveIntervalMs: KEEP_ALIVE_MS
    });
    checkSocket(sock.ws, backend);
    sock.ev.on('creds.update', update => Object.assign(this.#creds, update));
    return new Promise((resolve, reject) => {
      sock.ev.on('connection.update', update =>
        onUpdate(sock, update, error => (error === undefined ? resolve(sock) : reject(error)))
      );
    });
  }
}
