// The sessions of a slot, as long as this node owns it.

import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { NativeSession } from 'baileys-native';
import { Messenger } from './messenger.mjs';
import { SlotStore, fromJson, isFenced } from './store.mjs';

/** How long a session that gives its slot away may take to finish the stanza at hand. */
const LAST_STANZA_MS = 2_000;
/** Before a stanza is tried again. */
const RETRY_MS = 200;
/** After this time a slot can be given away although a session is not connected: the server may refuse it. */
const SETTLING_MS = 10_000;
/** How long the server may take to acknowledge a stanza. */
const ACK_TIMEOUT_MS = 10_000;

/** The `ack` of what came in. */
function acknowledgement({ tag, attrs: { id, from, participant, type } }) {
  const attrs = { class: tag, id, to: from };
  if (participant) attrs.participant = participant;
  if (type && tag !== 'message') attrs.type = type;
  return { tag: 'ack', attrs };
}

/** One session with its work: one stanza at a time, so that they keep their order. */
class OwnedSession {
  #store;
  #messenger;
  #log;
  /** The end of the work so far. */
  #work = Promise.resolve();
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
      // Logged out, replaced or refused: a person has to look at it.
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

  /** Connects for as long as the lease lasts. */
  connect(lease) {
    this.session.setLease(lease);
    // The event `close` has the reason of a failure.
    this.session.connect().catch(() => {});
  }

  #failed(error) {
    if (this.#isLeaving || isFenced(error)) return;
    this.#log(`${this.name}: ${error.message}${error.cause ? `: ${error.cause.message}` : ''}`);
  }

  #upload() {
    this.#messenger.uploadPreKeys().catch(error => this.#failed(error));
  }

  /** What came in is acknowledged when it is kept; until then the server has it. */
  #receive(node, keep) {
    this.#received = this.#received.then(async () => {
      try {
        await this.#insist(keep);
        if (this.#isLeaving) return;
        await this.session.sendNode(acknowledgement(node));
      } catch (error) {
        this.#failed(error);
      }
    });
  }

  /** Does work from the slot's stream, when all before it is done. */
  take(entry, fields, done) {
    const perform = this.#work.then(() => this.#insist(() => this.#perform(entry, fields)));
    this.#work = perform.catch(error => this.#failed(error)).finally(done);
  }

  /** Tries until it is done, or the session is another node's. */
  async #insist(act) {
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
    // It is sent: only this is left to be tried again.
    await this.#insist(() => this.#store.commit(this.name, { done: entry, events: [event] }));
  }

  /** Resolves when the session is logged in, or leaves. */
  async #connected() {
    while (this.session.state !== 'connected' && !this.#isLeaving) {
      await Promise.race([once(this.session, 'state'), this.#leaving]);
    }
  }

  #leave() {
    this.#isLeaving = true;
    this.#wakeLeaving();
  }

  /** Ends without logging out, so that another node can go on. What was not sent becomes work again. */
  async handOver() {
    this.#leave();
    await Promise.race([this.#work, pause(LAST_STANZA_MS, undefined, { ref: false })]);
    const unsent = await this.session.handOver();
    if (unsent.length > 0) await this.#store.addUnsent(this.name, unsent);
  }

  /** Ends at once: the slot has another owner. */
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
  /** Entries of the stream that are being worked on. */
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

  /** Whether no session is connecting, at least not for the first time. A slot is given away only then, so that sessions
   * that have just moved do not move again before they are connected. */
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
    // What earlier owners have taken and not finished comes first.
    await this.claim(0);
    if (this.state === 'opening') this.state = 'open';
  }

  /** Takes work that some consumer has had for so long without finishing it. */
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
        this.#log(`slot ${this.number}: work for ${fields.session}, which is not known`);
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
