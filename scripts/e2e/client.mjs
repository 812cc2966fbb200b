// One of the two clients: a child process with an unmodified Baileys. Its command line chooses the socket layer. It
// behaves like a careful bot: when its connection is cut, it reconnects with its saved credentials. It repeats
// unacknowledged messages and marks received ones as read.

import { EventEmitter } from 'node:events';
import { Agent } from 'node:https';
import { addTrustedRoot, trustTestRoot } from 'baileys-native/testing';
import { Outbox } from './outbox.mjs';
import { openChannel } from '../shared/channel.mjs';
import { SavedState } from './saved-state.mjs';
import { SERVICES } from './services.mjs';
import { nameOf } from './stanzas.mjs';

/**
 * @typedef {import('./types.js').Settings} Settings
 * @typedef {import('./outbox.mjs').Sock} Sock
 * @typedef {{ tag: string, attrs: Record<string, string>, content?: unknown }} Stanza
 */

/** @type {typeof import('baileys')} Of the package that the command line names; a CommonJS one has all on `default`. */
const baileys = await import(process.argv[2]).then(module => ({ ...module.default, ...module }));

const NATIVE = Symbol.for('baileys-native');
const RESTART_REQUIRED = 515;
const LOST_AFTER_MS = 10_000;

/** libsignal writes sessions with their keys to the console. */
for (const method of /** @type {const} */ (['info', 'log', 'warn', 'error'])) console[method] = () => {};

function silentLogger() {
  const nothing = () => {};
  const levels = { trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing };
  const logger = { level: 'silent', child: () => logger, ...levels };
  return logger;
}

/** @param {unknown} error */
const statusCode = error => /** @type {{ output?: { statusCode?: number } } | undefined} */ (error)?.output?.statusCode;

/** The ids of the messages that a receipt is for. @param {Stanza} receipt */
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
  /** Presence and chat states of others. @type {string[]} */
  presences = [];
  undecrypted = 0;
  logins = 0;
  /** @type {import('./types.js').Backend[]} */
  layers = [];
  /** Stanzas as each socket handed them to Baileys. @type {string[][]} */
  stanzas = [];
  arrivals = new EventEmitter();
  outbox = new Outbox();
  state = new SavedState(baileys);
  /** @type {Sock | undefined} */
  sock;
  leaving = false;

  /**
   * @param {Settings} settings
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
      // For a device that could not decrypt a message and requests it again: the id is the text.
      getMessage: async ({ id }) => (id ? { conversation: id } : undefined),
      defaultQueryTimeoutMs: 20_000,
      keepAliveIntervalMs: 300_000
    });
    const isNative = /** @type {{ [NATIVE]?: boolean }} */ (sock.ws.constructor)[NATIVE] === true;
    this.layers.push(isNative ? 'native' : 'js');
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
    this.leaving = false;
    this.#listen(sock);
    return new Promise((resolve, reject) => {
      sock.ev.on('connection.update', ({ connection, lastDisconnect }) => {
        if (connection === 'open') {
          this.logins += 1;
          this.outbox.start(sock);
          resolve();
        } else if (connection === 'close' && !this.leaving) {
          reject(lastDisconnect?.error ?? new Error('the connection closed'));
          void this.outbox
            .stop()
            .then(() => this.login())
            .catch(this.fail);
        }
      });
    });
  }

  async leave() {
    this.leaving = true;
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
   * Resolves when Baileys has delivered `count` messages of a flow, or after a time limit. Baileys delays events by up
   * to 0.1 seconds.
   *
   * @param {import('./types.js').ClientServices['arrived'][0]} expected
   * @returns {Promise<number>}
   */
  arrived({ flow, count }) {
    const number = () => new Set(this.received.filter(item => item.startsWith(flow))).size;
    return new Promise(resolve => {
      const done = () => {
        clearTimeout(timer);
        this.arrivals.off('text', check);
        resolve(number());
      };
      const check = () => number() >= count && done();
      const timer = setTimeout(done, LOST_AFTER_MS);
      this.arrivals.on('text', check);
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
    sock.ev.on('messages.upsert', ({ messages }) => messages.forEach(message => this.#onMessage(message)));
    sock.ev.on('presence.update', ({ id, presences }) => {
      for (const { lastKnownPresence } of Object.values(presences)) this.presences.push(`${id} ${lastKnownPresence}`);
      this.arrivals.emit('presence');
    });
  }

  /** @param {import('baileys').WAMessage} message */
  #onMessage({ key, message, messageStubType }) {
    if (key.fromMe) return;
    if (messageStubType === baileys.proto.WebMessageInfo.StubType.CIPHERTEXT) this.undecrypted += 1;
    const text = message?.conversation || message?.extendedTextMessage?.text;
    if (!text) return;
    this.received.push(text);
    this.arrivals.emit('text');
    this.outbox.add(`read:${key.id}`, sock => sock.readMessages([key]));
  }
}

/** @type {Client | undefined} */
let client;

/** @param {unknown} error */
const fail = error =>
  void parent.ask('failed', { stack: error instanceof Error ? String(error.stack) : String(error) });

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
  service: async ({ name, args }) => {
    const service = /** @type {(client: Client, ...args: any[]) => unknown} */ (SERVICES[name]);
    return service(current(), ...args);
  },
  settle: () => current().outbox.empty(),
  logout: () => current().leave(),
  report: () => current().report()
});

// When its connection ends, Baileys 6 rejects promises that have no handler. A bot must ignore these rejections.
if (process.argv[2] !== 'baileys') process.on('unhandledRejection', () => {});
process.on('disconnect', () => process.exit(0)); // timers of Baileys would keep the process alive
