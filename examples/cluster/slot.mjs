// A slot that this node owns, and its sessions.

import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { NativeSession } from 'baileys-native';
import { fromJson } from './json.mjs';
import { Messenger } from './messenger.mjs';
import { SlotStore, isFenced } from './store.mjs';

/** When a slot is given away, a session has this time to finish its current stanza, in milliseconds. */
const LAST_STANZA_MS = 2_000;
/** The pause before another attempt, in milliseconds. */
const RETRY_MS = 200;
/**
 * After this time, in milliseconds, a slot can be given away even if some of its sessions are not connected. The server
 * may be refusing them.
 */
const SETTLING_MS = 10_000;
/** The time limit for the server's acknowledgement of a stanza, in milliseconds. */
const ACK_TIMEOUT_MS = 10_000;

/** The `ack` of a received stanza. */
function acknowledgement({ tag, attrs: { id, from, participant, type } }) {
  const attrs = { class: tag, id, to: from };
  if (participant) attrs.participant = participant;
  if (type && tag !== 'message') attrs.type = type;
  return { tag: 'ack', attrs };
}

/** One session and its work. It sends one stanza at a time, so that their order is kept. */
class OwnedSession {
  #store;
  #messenger;
  #log;
  /** Resolves when all work that was taken has ended. */
  #work = Promise.resolve();
  /** Resolves when all stanzas that were received are processed. */
  #received = Promise.resolve();
  #isLeaving = false;
  #wakeLeaving = () => {};
  #leaving = new Promise(resolve => (this.#wakeLeaving = resolve));

  static async open(name, stored, { store, log, options }) {
    const credentials = store.credentials(name, stored);
    const session = await NativeSession.fromStore(credentials, { resume: true, ...options });
    return new OwnedSession(name, session, { store, log, credentials });
  }

  constructor(name, session, { store, log, credentials }) {
    this.name = name;
    this.session = session;
    this.#store = store;
    this.#log = log;
    const save = () => credentials.save({ creds: session.credentials, knownServer: session.knownServer });
    this.#messenger = new Messenger(session, store.signalKeys(name), save);
    session.on('error', error => this.#failed(error));
    session.on('close', ({ kind, code, message }) => {
      // The session was logged out, replaced or refused. An operator must look at it.
      if (kind !== 'requested') log(`${name}: closed: ${message} (${kind}, ${code})`);
    });
    session.on('state', ({ to }) => {
      if (to === 'connected') this.#upload();
    });
    session.onStanza('CB:message', node => this.#receive(node, () => this.#messenger.receive(node)));
    for (const tag of ['receipt', 'notification', 'call'])
      session.onStanza(`CB:${tag}`, node => this.#receive(node, () => {}));
    session.onStanza('CB:notification,type:encrypt', () => this.#upload());
  }

  /** Connects. The session stays connected until the lease ends. */
  connect(lease) {
    this.session.setLease(lease);
    // If it fails, the listener of `close` logs the reason.
    this.session.connect().catch(() => {});
  }

  #failed(error) {
    if (this.#isLeaving || isFenced(error)) return;
    this.#log(`${this.name}: ${error.message}${error.cause ? `: ${error.cause.message}` : ''}`);
  }

  #upload() {
    this.#messenger.uploadPreKeys().catch(error => this.#failed(error));
  }

  /** Acknowledges a received stanza after `keep` has stored it. Until then the server would send it again. */
  #receive(node, keep) {
    this.#received = this.#received.then(async () => {
      try {
        await this.#retry(keep);
        if (this.#isLeaving) return;
        await this.session.sendNode(acknowledgement(node));
      } catch (error) {
        this.#failed(error);
      }
    });
  }

  /** Performs an entry of the slot's stream after all earlier ones. */
  take(entry, fields, done) {
    const perform = this.#work.then(() => this.#retry(() => this.#perform(entry, fields)));
    this.#work = perform.catch(error => this.#failed(error)).finally(done);
  }

  /** Repeats `act` until it succeeds, the session leaves, or another node owns the slot. */
  async #retry(act) {
    while (!this.#isLeaving) {
      try {
        return await act();
      } catch (error) {
        if (isFenced(error)) throw error;
        this.#failed(error);
        await pause(RETRY_MS);
      }
    }
  }

  async #perform(entry, { id, to, message, node }) {
    await this.#connected();
    if (this.#isLeaving) return;
    if (node !== undefined) {
      await this.session.sendNode(fromJson(node));
      await this.#store.commit(this.name, { done: entry });
      return;
    }
    const stanza = await this.#messenger.encrypt(id, to, message);
    const ack = await this.session.query(stanza, { timeoutMs: ACK_TIMEOUT_MS });
    const event =
      ack.attrs.error === undefined ? { type: 'sent', id } : { type: 'refused', id, error: ack.attrs.error };
    // The text is sent, so only the commit is repeated if it fails.
    await this.#retry(() => this.#store.commit(this.name, { done: entry, events: [event] }));
  }

  /** Resolves when the session is logged in or leaves. */
  async #connected() {
    while (this.session.state !== 'connected' && !this.#isLeaving) {
      await Promise.race([once(this.session, 'state'), this.#leaving]);
    }
  }

  #leave() {
    this.#isLeaving = true;
    this.#wakeLeaving();
  }

  /**
   * Disconnects without logging out, so that another node can connect the session. Unsent stanzas become work again.
   */
  async handOver() {
    this.#leave();
    await Promise.race([this.#work, pause(LAST_STANZA_MS, undefined, { ref: false })]);
    const unsent = await this.session.handOver();
    if (unsent.length > 0) await this.#store.addUnsent(this.name, unsent);
  }

  /** Disconnects at once, because the slot may have another owner. */
  drop() {
    this.#leave();
    this.session.setLease(0);
  }
}

export class Slot {
  #redis;
  #settings;
  #log;
  #options;
  #store;
  #sessions = new Map();
  /** Ids of the entries of the stream that are being performed. */
  #entries = new Set();

  state = 'opening';
  #takenAt = performance.now();

  /** @param {{ slot: number, token: number }} owned */
  constructor(owned, { redis, settings, log, options }) {
    this.number = owned.slot;
    this.token = owned.token;
    this.#redis = redis;
    this.#settings = settings;
    this.#log = log;
    this.#options = options;
    this.#store = new SlotStore(redis, settings, owned);
  }

  get workKey() {
    return this.#store.workKey;
  }

  get sessions() {
    return [...this.#sessions.values()];
  }

  /**
   * Whether every session is connected or disconnected, or the slot was taken long ago. Only a settled slot is given
   * away, so that a session that has just moved is connected before it moves again.
   */
  get isSettled() {
    const isSettled = ({ session }) => session.state === 'connected' || session.state === 'disconnected';
    const isOld = performance.now() - this.#takenAt > SETTLING_MS;
    return this.state === 'open' && (isOld || this.sessions.every(isSettled));
  }

  get inFlight() {
    return this.#entries.size;
  }

  async open(lease) {
    const context = { store: this.#store, log: this.#log, options: this.#options };
    for (const [name, stored] of await this.#store.load()) {
      const session = await OwnedSession.open(name, stored, context);
      if (this.state !== 'opening') return;
      this.#sessions.set(name, session);
      session.connect(lease);
    }
    await this.#redis.xgroup('CREATE', this.workKey, 'owners', '0', 'MKSTREAM').catch(error => {
      if (!error.message.startsWith('BUSYGROUP')) throw error;
    });
    // The unfinished work of earlier owners comes first.
    await this.claim(0);
    if (this.state === 'opening') this.state = 'open';
  }

  /** Takes the unfinished work that any consumer took at least `minIdleMs` milliseconds ago. */
  async claim(minIdleMs) {
    let from = '0-0';
    do {
      const [next, entries] = await this.#redis.xautoclaim(
        this.workKey,
        'owners',
        this.#settings.name,
        minIdleMs,
        from,
        'COUNT',
        1_000
      );
      this.take(entries);
      from = next;
    } while (from !== '0-0');
  }

  /** @param {[string, string[]][]} entries */
  take(entries) {
    for (const [entry, list] of entries) {
      if (this.#entries.has(entry)) continue;
      const fields = Object.fromEntries(list.flatMap((field, i) => (i % 2 === 0 ? [[field, list[i + 1]]] : [])));
      const owned = this.#sessions.get(fields.session);
      if (owned === undefined) {
        this.#log(`slot ${this.number}: work for the unknown session ${fields.session}`);
        continue;
      }
      this.#entries.add(entry);
      owned.take(entry, fields, () => this.#entries.delete(entry));
    }
  }

  async handOver() {
    this.state = 'closing';
    await Promise.all(this.sessions.map(session => session.handOver()));
  }

  drop() {
    this.state = 'closing';
    for (const session of this.#sessions.values()) session.drop();
  }
}
