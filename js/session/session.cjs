'use strict';

const { createCodec } = require('../codec/binary-node.cjs');
const { core, environment, scratch } = require('../addon/shared-memory.cjs');
const { loadBinding } = require('../addon/binding.cjs');
const turn = require('../addon/loop-turn.cjs');
const { takeTape } = require('../codec/tape/batch.cjs');
const pump = require('../addon/event-pump.cjs');
const observe = require('../observe/session.cjs');
const { credentialsUpdate } = require('./credentials.cjs');
const { keepSaved } = require('./credentials-store.cjs');
const { addDeferred, settleAll, waitIn } = require('./deferred.cjs');
const watchAll = require('./watch-all.cjs');
const {
  sessionRecord: { ANSWER, EVENT, FAILED, OWN },
  statusCode: { CONNECTION_CLOSED }
} = require('../addon/abi.cjs');
const { SessionError, endReason, queryError, nodeError, sendError, endError } = require('./errors.cjs');
const { ListenedEmitter } = require('../shared/listened-emitter.cjs');
const { Lease } = require('./lease.cjs');
const { createLog } = require('./log.cjs');
const { openConnection } = require('./open-connection.cjs');
const { sessionOptions } = require('./options.cjs');
const { Streams } = require('./streams.cjs');
const { Watches } = require('./watches.cjs');

/** @import { BinaryNode, SessionStateChange, StanzaPattern } from '../../index' */
/** @import { Deferred } from './deferred.cjs' */

const native = loadBinding();

/** The longest timeout of a query in milliseconds: the addon stores 32 bits. */
const MAX_TIMEOUT = 2 ** 32 - 1;

const { decodePayload, flattenNode, hydrateTape } = createCodec('7');

/** Builds the next stanza of a record. The tapes of a session have no frames that JavaScript must not see. */
const takeStanza = () => /** @type {BinaryNode} */ (takeTape(pump.tapeCursor, hydrateTape));

/** WhatsApp's connection without the upper layers of Baileys; see `index.d.ts`. */
class NativeSession extends ListenedEmitter {
  #native;
  #number;
  #creds;
  /** Plans a connection. Throws if it is not supported. */
  #plan;
  /** Throws if the program has replaced a connection function of Node since the session was created. */
  #checkInterception;
  #log;
  /** The log level that the addon was told last. */
  #logLevel;
  #state = 'disconnected';
  /** `active` from `connect` on, `closing` from `close` on, `idle` before and after. */
  #phase = 'idle';
  #watches;
  #streams;
  /**
   * Ends the watch of the pattern `frame` that serves the listeners of `node`.
   *
   * @type {(() => void) | undefined}
   */
  #unwatchNodes;
  /** @type {Map<number, Deferred>} Unanswered queries by number. */
  #queries = new Map();
  /** @type {Map<number, Deferred>} Promises of `sendNode` that wait for room in the queue, by number. */
  #sends = new Map();
  #needsDrain = false;
  /** @type {Deferred[]} */
  #connecting = [];
  /** @type {Deferred[]} */
  #closing = [];
  /** Waits until the store has saved the credentials. */
  #saved = async () => {};

  /** @param {any} options */
  constructor(options) {
    super(() => this.#watchNodes());
    const { creds, native: nativeOptions, limiter, plan, checkInterception } = sessionOptions(options ?? {});
    this.#creds = creds;
    this.#plan = plan;
    this.#checkInterception = checkInterception;
    this.#log = createLog(options.logger);
    this.#logLevel = this.#log.level();
    pump.start();
    this.#native = new native.Session(environment, { ...nativeOptions, logLevel: this.#logLevel }, limiter);
    this.#number = this.#native.number;
    this.#watches = new Watches(this.#native);
    this.#streams = new Streams(this.#native, this.#watches);
  }

  /**
   * @param {{ load(): Promise<any>, save(stored: object): Promise<void> }} store
   * @param {any} options
   */
  static async fromStore(store, options) {
    const { creds, knownServer } = await store.load();
    const session = new this({ ...options, auth: creds, knownServer });
    session.#saved = keepSaved(session, store, cause => {
      session.#fault(new SessionError('The credentials were not saved', 'ERR_NOT_SAVED', undefined, { cause }));
    });
    return session;
  }

  /** Watches the pattern `frame` while `node` has a listener. */
  #watchNodes() {
    if (this.listenerCount('node') > 0) {
      this.#unwatchNodes ??= this.#watches.add('frame', node => this.emit('node', node));
    } else if (this.#unwatchNodes !== undefined) {
      this.#unwatchNodes();
      this.#unwatchNodes = undefined;
    }
  }

  /** A program may change the level of its logger at any time. */
  #updateLogLevel() {
    const level = this.#log.level();
    if (level === this.#logLevel) return;
    this.#logLevel = level;
    this.#native.setLogLevel(level);
  }

  get state() {
    return this.#state;
  }

  get credentials() {
    return this.#creds;
  }

  get knownServer() {
    const server = this.#native.knownServer;
    return server && { ...server, key: server.key.toString('base64') };
  }

  get serverTimeOffsetMs() {
    return this.#native.serverTimeOffset ?? undefined;
  }

  get needsDrain() {
    return this.#needsDrain;
  }

  /** @param {{ signal?: AbortSignal }} [options] */
  connect({ signal } = {}) {
    const connected = this.#connect(signal);
    // A program that does not await `connect` is told of the end by the event `close`.
    connected.catch(() => {});
    return connected;
  }

  /** @param {AbortSignal | undefined} signal */
  async #connect(signal) {
    signal?.throwIfAborted();
    if (this.#phase === 'closing') throw new SessionError('The session is closing', 'ERR_SESSION_CLOSING');
    this.#updateLogLevel();
    if (this.#phase === 'idle') {
      this.#checkInterception();
      if (!this.#native.connect()) {
        throw new SessionError(
          'The session has stopped after repeated internal errors. Create a new session.',
          'ERR_SESSION_FAILED'
        );
      }
      this.#phase = 'active';
      pump.add(this.#number, this);
      watchAll.addSession(this, this.#native);
      this.#native.setActive(true);
    } else if (this.#state === 'connected') {
      return;
    } else {
      this.#checkInterception();
      this.#native.reconnectNow();
    }
    await waitIn(this.#connecting, signal, () => void this.close());
  }

  /** @param {{ signal?: AbortSignal }} [options] */
  close({ signal } = {}) {
    return this.#close(() => this.#native.close(), signal);
  }

  /** @param {{ signal?: AbortSignal }} [options] */
  logout({ signal } = {}) {
    return this.#close(() => this.#native.logOut(), signal);
  }

  /**
   * @param {() => void} act
   * @param {AbortSignal} [signal]
   */
  async #close(act, signal) {
    if (this.#phase === 'active') {
      this.#phase = 'closing';
      act();
      turn.sentAtOnce();
    }
    // An aborted signal ends only the wait: the session closes.
    if (this.#phase === 'closing') {
      signal?.throwIfAborted();
      await waitIn(this.#closing, signal);
    }
    // The store may still be saving changes that were emitted before the end.
    await this.#saved();
  }

  async handOver() {
    /** @type {ReturnType<import('../addon/native').Session['handOver']>} */
    let unsent = [];
    const closed = this.#close(() => (unsent = this.#native.handOver()));
    const error = new SessionError('The stanza was handed over', 'ERR_HANDED_OVER', CONNECTION_CLOSED);
    for (const { number } of unsent) this.#sends.get(number)?.reject(error);
    await closed;
    return unsent.map(({ number, payload }) => ({ number, node: decodePayload(payload) }));
  }

  /** @param {InstanceType<typeof Lease> | number} [lease] */
  setLease(lease) {
    Lease.set(this.#native, lease);
  }

  /**
   * @param {BinaryNode} node
   * @param {{ signal?: AbortSignal }} [options]
   */
  sendNode(node, { signal } = {}) {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const number = this.#submit(node, text => core.sessionSend(this.#number, text));
      if (number >= 0) {
        if (turn.isLong()) turn.afterTurn(resolve, number);
        else resolve(number);
        return;
      }
      this.#needsDrain = true;
      addDeferred(this.#sends, ~number, signal, resolve, reject);
    });
  }

  /**
   * @param {BinaryNode} node
   * @param {{ timeoutMs?: number, signal?: AbortSignal, idempotent?: boolean }} [options]
   */
  query(node, { timeoutMs = 0, signal, idempotent = false } = {}) {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      if (!(timeoutMs >= 0 && timeoutMs <= MAX_TIMEOUT))
        throw new RangeError(`timeoutMs must be a number of milliseconds, at most ${MAX_TIMEOUT}`);
      let number = this.#submit(node, text =>
        core.sessionQuery(this.#number, text, Math.ceil(timeoutMs), idempotent ? 1 : 0)
      );
      if (number < 0) {
        this.#needsDrain = true;
        number = ~number;
      }
      const [answered, failed] = observe.query(this, node, resolve, reject);
      addDeferred(this.#queries, number, signal, answered, failed, () => this.#native.cancel(number));
    });
  }

  /**
   * Passes a node to the addon and returns the number of the stanza; negative (`~number`) if the queue is full.
   *
   * @param {BinaryNode} node
   * @param {(text: string) => number} submit
   */
  #submit(node, submit) {
    const text = this.#flatten(node);
    try {
      const number = submit(text);
      turn.sentInTurn();
      this.#log.trace('sent', node);
      observe.sent(this, node);
      return number;
    } catch (error) {
      throw sendError(error);
    } finally {
      scratch.trim();
    }
  }

  /** @param {BinaryNode} node */
  #flatten(node) {
    try {
      if (node === null || typeof node !== 'object') throw new TypeError('the node must be an object');
      return flattenNode(node);
    } catch (error) {
      throw nodeError(error);
    }
  }

  pause() {
    this.#streams.setPausedBy(this, true);
  }

  resume() {
    this.#streams.setPausedBy(this, false);
  }

  /**
   * @param {string} phoneNumber
   * @param {{ code?: string }} [options]
   */
  async requestPairingCode(phoneNumber, { code } = {}) {
    const digits = String(phoneNumber).replace(/\D/g, '');
    if (digits === '') throw new TypeError('the phone number must contain digits');
    try {
      return this.#native.requestPairingCode(digits, code);
    } catch (error) {
      throw new SessionError(error.message, 'ERR_PAIRING_CODE');
    }
  }

  /**
   * @param {string | StanzaPattern} pattern
   * @param {(node: any) => void} listener
   * @param {{ signal?: AbortSignal }} [options]
   */
  onStanza(pattern, listener, { signal } = {}) {
    if (signal?.aborted) return () => {};
    const remove = this.#watches.add(pattern, listener);
    if (signal === undefined) return remove;
    signal.addEventListener('abort', remove, { once: true });
    return () => {
      signal.removeEventListener('abort', remove);
      remove();
    };
  }

  /**
   * @param {Parameters<NativeSession['onStanza']>[0]} [pattern]
   * @param {{ signal?: AbortSignal }} [options]
   */
  stanzas(pattern = 'frame', { signal } = {}) {
    return this.#streams.iterate(pattern, signal);
  }

  [Symbol.asyncIterator]() {
    return this.stanzas();
  }

  metrics() {
    return JSON.parse(this.#native.metrics());
  }

  /**
   * Delivers one stanza of a `STANZAS` record. Its words are the number of patterns that it matches, the numbers of these
   * patterns, and its tape. Called by the event pump.
   */
  deliverStanza() {
    const { tapeCursor } = pump;
    const { words, wordAt } = tapeCursor;
    const count = words[wordAt];
    const first = wordAt + 1;
    tapeCursor.wordAt = first + count;
    const node = takeStanza();
    this.#log.trace('received', node);
    observe.stanza(this, node);
    for (let i = 0; i < count; i++) this.#watches.deliver(words[first + i], node);
  }

  /**
   * Handles any other record of the addon. Called by the event pump.
   *
   * @param {number} kind
   * @param {number} value
   * @param {import('../addon/slab.cjs').TextBuffer} memory
   * @param {number} offset
   * @param {number} length
   */
  deliver(kind, value, memory, offset, length) {
    switch (kind) {
      case ANSWER: {
        const query = this.#queries.get(value);
        if (query === undefined) break;
        const node = takeStanza();
        this.#log.trace('received', node);
        observe.answer(this, node);
        query.resolve(node);
        break;
      }
      case FAILED:
        this.#queries.get(value)?.reject(queryError(JSON.parse(memory.utf8Slice(offset, offset + length))));
        break;
      case EVENT:
        this.#event(JSON.parse(memory.utf8Slice(offset, offset + length)));
        break;
      case OWN:
        observe.own(this, value === 0 ? 'out' : 'in', decodePayload(memory.subarray(offset, offset + length)));
        break;
      default:
        throw new Error(`internal error of baileys-native: unknown record kind ${kind}`);
    }
  }

  /** @param {any} event the JSON of src/bindings/session_json.rs */
  #event(event) {
    switch (event.type) {
      case 'state':
        this.#changed(event);
        break;
      case 'log':
        this.#log.write(event.level, event.fields, event.message);
        break;
      case 'creds': {
        const update = credentialsUpdate(event.update);
        // Baileys changes this object too: `saveCreds` stores it.
        Object.assign(this.#creds, update);
        observe.creds(this, update);
        this.emit('creds', update);
        break;
      }
      case 'reconnecting': {
        const { attempt, at } = event;
        const reason = endReason(event.reason);
        this.#log.write('info', { attempt, at, code: reason.code }, 'reconnecting');
        observe.reconnecting(this, { ...event, reason });
        this.emit('reconnecting', { attempt, at, reason, cancel: () => this.#cancelReconnect() });
        break;
      }
      case 'open':
        openConnection(this.#native, event.connection, this.#plan);
        break;
      case 'reconnectDue':
        try {
          this.#checkInterception();
          this.#native.confirmReconnect();
        } catch (error) {
          this.#cancelReconnect();
          this.#fault(error);
        }
        break;
      case 'qr':
        observe.qr(this, event.qr, event.expiresAt);
        this.emit('qr', event.qr, { expiresAt: event.expiresAt });
        break;
      case 'paired':
        this.#log.write('info', undefined, 'paired');
        observe.paired(this, event.me);
        this.emit('paired', event.me);
        break;
      case 'offline':
        observe.offline(this, event.count);
        this.emit('offline', event.count);
        break;
      case 'drain':
        this.#needsDrain = false;
        for (const [number, { resolve }] of this.#sends) resolve(number);
        observe.drain(this);
        this.emit('drain');
        break;
      case 'unsent': {
        const error = new SessionError('Connection Closed', 'ERR_CONNECTION_CLOSED', CONNECTION_CLOSED);
        for (const number of event.sends) this.#sends.get(number)?.reject(error);
        this.#log.write('warn', { count: event.sends.length }, 'stanzas were not sent');
        observe.unsent(this, event.sends);
        this.emit('unsent', event.sends);
        break;
      }
      case 'pairingFailed':
        this.#fault(new SessionError(event.message, 'ERR_PAIRING_CODE'));
        break;
      case 'malformed':
        this.#fault(new SessionError(event.message, 'ERR_MALFORMED_STANZA'));
        break;
      default:
        throw new Error(`internal error of baileys-native: unknown event type ${event.type}`);
    }
  }

  /**
   * Reports an error that does not end the session. A listener is not required.
   *
   * @param {InstanceType<typeof SessionError>} error
   */
  #fault(error) {
    this.#log.write('warn', { code: error.code }, error.message);
    observe.error(this, error);
    if (this.listenerCount('error') > 0) this.emit('error', error);
  }

  /** Cancels the next connection. If it has already begun, the session closes it. */
  #cancelReconnect() {
    if (!this.#native.cancelReconnect() && this.#phase === 'active') void this.close();
  }

  /** @param {SessionStateChange} change */
  #changed({ from, to, trigger, at, reason: described }) {
    const reason = endReason(described);
    this.#state = to;
    this.#updateLogLevel();
    const change = { from, to, trigger, at, reason };
    this.#log.write(to === 'connected' ? 'info' : 'debug', { from, to, trigger, code: reason?.code }, 'session state');
    observe.state(this, change);
    if (to === 'connected') settleAll(this.#connecting, ({ resolve }) => resolve());
    if (to !== 'disconnected') {
      this.emit('state', change);
      return;
    }
    this.#phase = 'idle';
    pump.remove(this.#number);
    watchAll.removeSession(this);
    this.#native.setActive(false);
    this.#streams.end();
    settleAll(this.#connecting, ({ reject }) => reject(endError(reason)));
    settleAll(this.#closing, ({ resolve }) => resolve());
    try {
      this.emit('state', change);
    } finally {
      observe.close(this, reason);
      this.emit('close', reason);
    }
  }
}

module.exports = { NativeSession };
