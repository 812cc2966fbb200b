'use strict';

const { IndexedEmitter } = require('./indexed-emitter.cjs');
const { noteLeftToBaileys } = require('../shared/left-to-baileys.cjs');
const { warnOnce } = require('../shared/warn-once.cjs');
const { planConnection } = require('../connect/plan.cjs');
const { intervalOf } = require('../addon/keep-alive.cjs');
const { Socket, OPEN, CLOSING, CLOSED, CONNECTING } = require('../ws/socket.cjs');
const { Unsupported } = require('../connect/unsupported.cjs');

const observe = require('../observe/socket.cjs');
const { failure, FRAME_ERROR } = require('./frame-error.cjs');
const { senderOf } = require('./connection-link.cjs');

/** On the class of a copy of Baileys: gives that copy's own class. */
const ORIGINAL = Symbol('original');

/** What EventEmitter calls for a listener whose promise is rejected. */
const REJECTION = Symbol.for('nodejs.rejection');

/**
 * Baileys' `WebSocketClient`, on the native transport.
 *
 * Events, as Baileys forwards them from `ws`: `open`, `message` (data: Buffer, isBinary: boolean), `close` (code: number,
 * reason: Buffer), `error` (Error), `upgrade` (response), `unexpected-response` (request, response), `ping` (Buffer),
 * `pong` (Buffer).
 */
class WebSocketClient extends IndexedEmitter {
  #linked = false;
  /**
   * An instance of Baileys' own class, where it has the connection.
   *
   * @type {any}
   */
  #original = null;

  /**
   * @param {URL | string} url `ws:` or `wss:`
   * @param {object} config Baileys' socket configuration; `options.headers`, `connectTimeoutMs` and `agent` are used
   */
  constructor(url, config) {
    super({ captureRejections: true });
    this.url = url;
    this.config = config;
    this.socket = null;
    this.setMaxListeners(0);
  }

  get isOpen() {
    return this.socket?.readyState === OPEN;
  }

  get isClosed() {
    return this.socket === null || this.socket.readyState === CLOSED;
  }

  /** As in Baileys this is true as well where there is no socket. */
  get isClosing() {
    return this.socket === null || this.socket.readyState === CLOSING;
  }

  get isConnecting() {
    return this.socket?.readyState === CONNECTING;
  }

  /** Starts to connect; does nothing where there is a socket already, even a closed one. */
  connect() {
    if (this.socket) return;
    this.#linked = false;
    this.#original = null;
    observe.connect(this);
    const plan = planConnection(this.url, this.config);
    if (plan.error instanceof Unsupported) {
      const Original = this.constructor[ORIGINAL]?.();
      if (Original) return this.#connectOriginal(Original, plan.error.reason);
    }
    this.socket = new Socket(this, plan, emitMessage);
  }

  /** Leaves the connection to Baileys' own class: it can do whatever the agent wants. */
  #connectOriginal(Original, reason) {
    warnOnce('BAILEYS_NATIVE_AGENT', `A connection runs on Baileys' JavaScript WebSocketClient: ${reason}`);
    const original = new Original(this.url, this.config);
    original.emit = (name, ...args) => {
      observe.forwarded(this, name, args);
      return this.emit(name, ...args);
    };
    const connecting = original.connect();
    this.#original = original;
    this.socket = original.socket;
    noteLeftToBaileys(original.socket);
    return connecting;
  }

  /** Closes the connection; afterwards `connect` makes a new one. */
  async close() {
    const { socket } = this;
    if (!socket) return;
    await (this.#original ?? socket).close();
    this.socket = null;
  }

  /**
   * @param {string | Uint8Array} data
   * @param {(error?: Error | null) => void} [callback] called once the message is on its way
   * @returns {boolean} whether there is a socket
   */
  send(data, callback) {
    const { socket } = this;
    if (!socket) return false;
    // A program can put a socket of its own in the place of ours.
    const isOurs = socket instanceof Socket;
    observe.send(this, isOurs ? socket.id : undefined, data);
    if (this.#original !== null) return this.#original.send(data, callback);
    // A handshake frame of a noise handler of ours: from now on the addon can open its frames ahead.
    if (isOurs && !this.#linked) {
      const link = senderOf(data);
      if (link !== undefined) {
        this.#linked = true;
        link(socket.id, intervalOf(this.config));
      }
    }
    socket.send(data, callback);
    return true;
  }

  /**
   * Called for a listener with a rejected promise. Baileys 7 decodes frames in an async `message` listener. A frame that
   * fails there ends this connection by `error`. Any other rejection is left as it is.
   *
   * @param {any} error
   * @param {string | symbol} event
   */
  [REJECTION](error, event) {
    if (event === 'message' && error?.[FRAME_ERROR]) this.emit('error', asConnectionError(error));
    else Promise.reject(error);
  }
}

/**
 * The error of a frame with a `code` that Baileys maps to status 408. Without one Baileys takes it for 500, `badSession`,
 * on which many programs delete their credentials.
 *
 * @param {Error & { code?: string }} error
 */
function asConnectionError(error) {
  if (!error.code?.startsWith('E')) error.code = 'ERR_FRAME';
  return error;
}

/**
 * Emits `message` as EventEmitter does, but looks at a listener's result only if a frame has just failed: to look at
 * each costs more than all the rest.
 *
 * @param {WebSocketClient} client
 * @param {Buffer} data
 * @param {boolean} isBinary
 */
function emitMessage(client, data, isBinary) {
  failure.latest = undefined;
  // The program has replaced `emit`.
  if (client.emit !== IndexedEmitter.prototype.emit) {
    client.emit('message', data, isBinary);
    // The listener of Baileys 6 is synchronous, so that no promise of it can be rejected.
    if (failure.latest !== undefined && client instanceof WebSocketClient6) endByFrame(client);
    return;
  }
  for (const listener of client.rawListeners('message')) {
    failure.latest = undefined;
    const result = listener.call(client, data, isBinary);
    if (failure.latest === undefined) continue;
    if (typeof result?.then === 'function') {
      result.then(undefined, (/** @type {unknown} */ error) => client[REJECTION](error, 'message'));
    } else {
      endByFrame(client);
    }
  }
}

/**
 * Ends the connection by the error of a frame whose promise a synchronous listener has dropped, as that of Baileys 6 does.
 *
 * @param {WebSocketClient} client
 */
function endByFrame(client) {
  const { latest: error, promise } = failure;
  // Without a listener the rejection stays unhandled, as in Baileys.
  if (error === undefined || client.listenerCount('error') === 0) return;
  promise?.catch(() => {});
  process.nextTick(() => client.emit('error', asConnectionError(error)));
}

/** As Baileys 6 has it: `connect` is asynchronous, and `close` does not wait for the end. */
class WebSocketClient6 extends WebSocketClient {
  async connect() {
    await super.connect();
  }

  async close() {
    const { socket } = this;
    this.socket = null;
    socket?.close();
  }
}

/**
 * A class of its own for one copy of Baileys.
 *
 * @param {'7' | '6.7' | '6.17'} dialect
 * @param {() => (new (url: URL | string, config: object) => object) | undefined} [original] that copy's own class, for
 *   agents that cannot be honoured natively; without it such a connection is an error
 */
function createWebSocketClient(dialect, original) {
  const Base = dialect === '7' ? WebSocketClient : WebSocketClient6;
  return class extends Base {
    static name = 'WebSocketClient';
    static [ORIGINAL] = original;
  };
}

module.exports = { createWebSocketClient };
