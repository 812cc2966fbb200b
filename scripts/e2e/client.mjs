// One of the two clients: a child process with an unmodified Baileys. Its command line chooses the socket layer. It
// reconnects with its saved credentials when its connection is cut, sends unacknowledged messages again, and marks
// received messages as read.

import { EventEmitter } from 'node:events';
import { Agent } from 'node:https';
import { addTrustedRoot, trustTestRoot } from 'baileys-native/testing';
import { importPackage, isVersion7 } from '../shared/baileys.mjs';
import { isNative, silentLogger, statusCode } from '../shared/bot.mjs';
import { describeError, openChannel } from '../shared/channel.mjs';
import { ACTIONS } from './actions.mjs';
import { Outbox } from './outbox.mjs';
import { SavedState } from './saved-state.mjs';
import { nameOf } from './stanzas.mjs';

/**
 * @typedef {import('./types.js').ClientSettings} ClientSettings
 * @typedef {import('../shared/bot.mjs').Sock} Sock
 * @typedef {import('../../js/testing/types.d.ts').Stanza} Stanza
 */

/** The package of Baileys that the command line names. */
const packageName = process.argv[2];
const baileys = await importPackage(packageName);

const RESTART_REQUIRED = 515;
/**
 * When no message arrives for this time, those that have not arrived count as lost, in milliseconds. Baileys 6 waits for
 * 5 seconds before it requests a message again, and requests one message at a time.
 */
const LOST_AFTER_MS = 10_000;
/** A message with this problem is not requested again. */
const KEY_USED = 'Key used already or never filled';

/** libsignal writes sessions with their keys to the console. */
for (const method of /** @type {const} */ (['info', 'log', 'warn', 'error'])) console[method] = () => {};

/** The ids of the messages that a receipt confirms. @param {Stanza} receipt */
function idsOf({ attrs, content }) {
  const list = Array.isArray(content) ? content.find(({ tag }) => tag === 'list') : undefined;
  const items = /** @type {Stanza[]} */ (list?.content ?? []);
  return [attrs.id, ...items.map(item => item.attrs.id)];
}

/** @type {(set: Set<string>, items: string[]) => void} */
const mark = (set, items) => items.forEach(item => set.add(item));

class Client {
  /** @type {string[]} */
  received = [];
  /** @type {Set<string>} */
  delivered = new Set();
  /** @type {Set<string>} */
  read = new Set();
  /** Received presences and chat states, as `jid state`. @type {string[]} */
  presences = [];
  undecrypted = 0;
  /** Ids of messages that this client is decrypting or has requested again. @type {Set<string>} */
  pending = new Set();
  logins = 0;
  /** @type {import('../shared/bot.mjs').Backend[]} */
  layers = [];
  /** The names of the stanzas that each socket has delivered to Baileys. @type {string[][]} */
  stanzas = [];
  /** Emits `message` and `presence` when one has arrived. */
  arrivals = new EventEmitter();
  outbox = new Outbox();
  state = new SavedState(baileys);
  /** @type {Sock | undefined} */
  sock;
  isLoggingOut = false;

  /**
   * @param {ClientSettings} settings
   * @param {(qr: string) => Promise<void>} scan
   * @param {(error: unknown) => void} fail
   */
  constructor(settings, scan, fail) {
    this.settings = settings;
    this.scan = scan;
    this.fail = fail;
    trustTestRoot(baileys, Buffer.from(settings.rootKey, 'hex'));
    // For releases of Baileys without a root key.
    addTrustedRoot(Buffer.from(settings.rootKey, 'hex'));
  }

  connect() {
    const { url, ca } = this.settings;
    const sock = baileys.makeWASocket({
      waWebSocketUrl: url,
      agent: new Agent({ ca }),
      auth: this.state.load(),
      logger: silentLogger(),
      shouldSyncHistoryMessage: () => false,
      // Called when a device could not decrypt a message and requests it again. The id of a message is its text.
      getMessage: async ({ id }) => (id ? { conversation: id } : undefined),
      connectTimeoutMs: 60_000,
      defaultQueryTimeoutMs: 60_000,
      keepAliveIntervalMs: 300_000
    });
    this.layers.push(isNative(sock.ws.constructor) ? 'native' : 'js');
    /** @type {string[]} */
    const stanzas = [];
    this.stanzas.push(stanzas);
    sock.ws.on('frame', (/** @type {Stanza | Uint8Array} */ frame) => {
      if ('tag' in frame) stanzas.push(nameOf(frame));
    });
    sock.ev.on('creds.update', update => this.state.save(update));
    return sock;
  }

  /** @returns {Promise<void>} Resolves when the device is linked and the server has asked for the restart. */
  pair() {
    const sock = this.connect();
    return new Promise((resolve, reject) => {
      sock.ev.on('connection.update', ({ connection, qr, lastDisconnect }) => {
        if (qr) this.scan(qr).catch(reject);
        if (connection !== 'close') return;
        if (statusCode(lastDisconnect?.error) === RESTART_REQUIRED) resolve();
        else reject(lastDisconnect?.error ?? new Error('the connection closed while pairing'));
      });
    });
  }

  /** @returns {Promise<void>} Resolves at `open`. Later the client reconnects when its connection is cut. */
  login() {
    const sock = this.connect();
    this.sock = sock;
    this.isLoggingOut = false;
    // The server sends unacknowledged messages again.
    this.pending.clear();
    this.#listen(sock);
    return new Promise((resolve, reject) => {
      sock.ev.on('connection.update', ({ connection, lastDisconnect }) => {
        if (connection === 'open') {
          this.logins += 1;
          this.outbox.start(sock);
          resolve();
        } else if (connection === 'close' && !this.isLoggingOut) {
          reject(lastDisconnect?.error ?? new Error('the connection closed'));
          void this.outbox
            .stop()
            .then(() => this.login())
            .catch(this.fail);
        }
      });
    });
  }

  async logOut() {
    this.isLoggingOut = true;
    await this.outbox.stop();
    await this.sock?.end(undefined);
  }

  /** @param {import('./types.js').ClientServices['send'][0]} request */
  send({ phase, to, first, count }) {
    for (let index = first; index < first + count; index++) {
      const item = `${phase}:${this.settings.side}:${index}`;
      this.outbox.add(`message:${item}`, sock => sock.sendMessage(to, { text: item }, { messageId: item }), item);
    }
  }

  /**
   * Waits until Baileys has delivered `count` messages of a flow and has no message to request again, or until no
   * message arrives for some time. Baileys delays events by up to 0.1 seconds.
   *
   * @param {import('./types.js').ClientServices['arrived'][0]} expected
   * @returns {Promise<number>} The number of delivered messages.
   */
  arrived({ flow, count }) {
    const number = () => new Set(this.received.filter(item => item.startsWith(flow))).size;
    return new Promise(resolve => {
      const done = () => {
        clearTimeout(timer);
        this.arrivals.off('message', check);
        this.pending.clear();
        resolve(number());
      };
      const timer = setTimeout(done, LOST_AFTER_MS);
      const check = () => {
        timer.refresh();
        if (number() >= count && this.pending.size === 0) done();
      };
      this.arrivals.on('message', check);
      check();
    });
  }

  report() {
    const { received, undecrypted, logins, layers, stanzas } = this;
    return {
      received,
      delivered: [...this.delivered],
      read: [...this.read],
      resent: this.outbox.resent,
      undecrypted,
      logins,
      layers,
      stanzas
    };
  }

  /** @param {Sock} sock */
  #listen(sock) {
    sock.ws.on('CB:ack,class:message', (/** @type {Stanza} */ { attrs }) => {
      if (attrs.error) this.fail(new Error(`message ${attrs.id} was refused: ${attrs.error}`));
      this.outbox.acknowledged(`message:${attrs.id}`);
    });
    sock.ws.on('CB:ack,class:receipt', (/** @type {Stanza} */ { attrs }) => {
      if (attrs.type === 'read') this.outbox.acknowledged(`read:${attrs.id}`);
    });
    // Baileys may delay the event of a receipt, or merge it into the event of its message. So the stanzas are counted.
    sock.ws.on('CB:receipt', (/** @type {Stanza} */ receipt) => {
      const { type } = receipt.attrs;
      if (type === undefined || type === 'inactive') mark(this.delivered, idsOf(receipt));
      if (type === 'read') mark(this.read, idsOf(receipt));
    });
    sock.ws.on('CB:message', (/** @type {Stanza} */ { attrs }) => this.pending.add(attrs.id));
    sock.ev.on('messages.upsert', ({ messages }) => messages.forEach(message => this.#onMessage(message)));
    sock.ev.on('presence.update', ({ id, presences }) => {
      for (const { lastKnownPresence } of Object.values(presences)) this.presences.push(`${id} ${lastKnownPresence}`);
      this.arrivals.emit('presence');
    });
  }

  /** @param {import('baileys').WAMessage} message */
  #onMessage({ key, message, messageStubType, messageStubParameters }) {
    const isUndecrypted = messageStubType === baileys.proto.WebMessageInfo.StubType.CIPHERTEXT;
    if (!isUndecrypted || messageStubParameters?.[0] === KEY_USED) this.pending.delete(String(key.id));
    if (key.fromMe) return;
    if (isUndecrypted) this.undecrypted += 1;
    const text = message?.conversation || message?.extendedTextMessage?.text;
    if (text) this.received.push(text);
    this.arrivals.emit('message');
    if (!text) return;
    this.outbox.add(`read:${key.id}`, sock => sock.readMessages([key]));
  }
}

/** @type {Client | undefined} */
let client;

/** @param {unknown} error */
const fail = error => void parent.ask('failed', { stack: describeError(error) });

function current() {
  if (!client) throw new Error('not paired');
  return client;
}

/** @type {import('../shared/channel.mjs').Channel<import('./types.js').ParentServices>} */
const parent = openChannel(process, {
  pair: settings => {
    client = new Client(settings, qr => parent.ask('scan', { qr }), fail);
    return client.pair();
  },
  login: () => current().login(),
  send: request => current().send(request),
  arrived: expected => current().arrived(expected),
  act: async ({ name, args }) => {
    const action = /** @type {(client: Client, ...args: any[]) => unknown} */ (ACTIONS[name]);
    return action(current(), ...args);
  },
  settle: () => current().outbox.empty(),
  logout: () => current().logOut(),
  report: () => current().report()
});

// When its connection ends, Baileys 6 rejects promises that have no handler. A bot must ignore these rejections.
if (!isVersion7(packageName)) process.on('unhandledRejection', () => {});
process.on('disconnect', () => process.exit(0)); // timers of Baileys would keep the process alive
