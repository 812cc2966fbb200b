'use strict';

const { IndexedEmitter } = require('./indexed-emitter.cjs');
const { noteLeftToBaileys } = require('../shared/left-to-baileys.cjs');
const { warnOnce } = require('../shared/warn-once.cjs');
const { planConnection } = require('../connect/plan.cjs');
const { GRACE_MS, intervalOf } = require('../addon/keep-alive.cjs');
const { CONNECTING, OPEN, CLOSING, CLOSED } = require('../ws/ready-state.cjs');
const { Socket } = require('../ws/socket.cjs');
const { UnsupportedConnectionError } = require('../connect/unsupported-connection-error.cjs');

const observe = require('../observe/socket.cjs');
const { lastFrameError, FRAME_ERROR } = require('./frame-error.cjs');
const { linkOf } = require('./connection-link.cjs');

/** Key of a static method that returns the `WebSocketClient` of Baileys itself. */
const ORIGINAL = Symbol('original');

/** The method that EventEmitter calls when the promise of a listener is rejected. */
const REJECTION = Symbol.for('nodejs.rejection');

/** @import { EventEmitter } from 'node:events' */
/** @import { WebSocketClientConfig } from '../../index' */

/**
 * The `WebSocketClient` of Baileys itself.
 *
 * @typedef {EventEmitter & {
 *   socket: any,
 *   connect(): void | Promise<void>,
 *   close(): void | Promise<void>,
 *   send: WebSocketClient['send']
 * }} BaileysClient
 */
/** @typedef {new (url: URL | string, config: object) => BaileysClient} BaileysClientClass */

/**
 * Baileys' `WebSocketClient` on the native transport.
 *
 * Events, as Baileys forwards them from `ws`: `open`, `message` (data: Buffer, isBinary: boolean), `close` (code:
 * number, reason: Buffer), `error` (Error), `upgrade` (response), `unexpected-response` (request, response), `ping`
 * (Buffer), `pong` (Buffer).
 */
class WebSocketClient extends IndexedEmitter {
  #linked = false;
  /**
   * The instance of Baileys' own class, if the connection was left to it.
   *
   * @type {BaileysClient | null}
   */
  #original = null;

  /**
   * @param {URL | string} url `ws:` or `wss:`
   * @param {WebSocketClientConfig} config Baileys' socket configuration
   */
  constructor(url, config) {
    super({ captureRejections: true });
    this.url = url;
    this.config = config;
    /** @type {any} A {@link Socket}, or the `WebSocket` of `ws`. */
    this.socket = null;
    this.setMaxListeners(0);
  }

  get isOpen() {
    return this.socket?.readyState === OPEN;
  }

  get isClosed() {
    return this.socket === null || this.socket.readyState === CLOSED;
  }

  /** Also true if there is no socket, as in Baileys. */
  get isClosing() {
    return this.socket === null || this.socket.readyState === CLOSING;
  }

  get isConnecting() {
    return this.socket?.readyState === CONNECTING;
  }

  /**
   * Starts to connect. Does nothing if there is a socket, even a closed one.
   *
   * @returns {void | Promise<void>}
   */
  connect() {
    if (this.socket) return;
    this.#linked = false;
    this.#original = null;
    observe.connect(this);
    const plan = planConnection(this.url, this.config);
    const { [ORIGINAL]: original } = /** @type {Function & { [ORIGINAL]?: () => BaileysClientClass | undefined }} */ (
      this.constructor
    );
    const Original = original?.();
    if (Original && plan.error instanceof UnsupportedConnectionError) {
      return this.#connectOriginal(Original, 'BAILEYS_NATIVE_AGENT', plan.error.reason);
    }
    const socket = new Socket(this, plan, emitMessage, reason => {
      // Baileys' own class would bypass a proxy of the environment.
      if (!Original || plan.route?.isForced || this.socket !== socket) return undefined;
      this.#connectOriginal(Original, 'BAILEYS_NATIVE_TLS', reason);
      return this.socket;
    });
    if (this.config?.maxWebSocketListeners !== undefined) socket.setMaxListeners(this.config.maxWebSocketListeners);
    this.socket = socket;
  }

  /**
   * Leaves the connection to Baileys' own class, which supports every agent and server.
   *
   * @param {BaileysClientClass} Original
   * @param {string} code
   * @param {string} reason
   */
  #connectOriginal(Original, code, reason) {
    warnOnce(code, `A connection uses Baileys' own WebSocketClient instead of baileys-native. Reason: ${reason}`);
    const original = new Original(this.url, this.config);
    original.emit = (/** @type {string} */ name, /** @type {unknown[]} */ ...args) => {
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
    endIfSilent(socket, this.config);
    await (this.#original ?? socket).close();
    this.socket = null;
  }

  /**
   * @param {string | Uint8Array} data
   * @param {(error?: Error | null) => void} [callback] called when the message was accepted for writing, or with an
   *   error
   * @returns {boolean} whether there is a socket
   */
  send(data, callback) {
    const { socket } = this;
    if (!socket) return false;
    // A program can replace `this.socket`.
    const isOurs = socket instanceof Socket;
    observe.send(this, isOurs ? socket.id : undefined, data);
    if (this.#original !== null) return this.#original.send(data, callback);
    // Links the socket to the noise handler that made this handshake frame.
    if (isOurs && !this.#linked) {
      const link = linkOf(data);
      if (link !== undefined) {
        this.#linked = true;
        link(socket.id, intervalOf(this.config));
      }
    }
    socket.send(data, callback);
    return true;
  }

  /**
   * Called when the promise of a listener is rejected. Baileys 7 decodes frames in an async `message` listener. If a
   * frame fails there, `error` is emitted, which ends the connection. Any other rejection stays unhandled, as in
   * Baileys.
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
 * Gives the error of a frame a `code` that Baileys maps to status 408. Without a code Baileys uses 500 (`badSession`),
 * and many programs delete their credentials then.
 *
 * @param {Error & { code?: string }} error
 */
function asConnectionError(error) {
  if (!error.code?.startsWith('E')) error.code = 'ERR_FRAME';
  return error;
}

/**
 * Emits `message` like EventEmitter, but checks the result of a listener only if a frame has just failed. Checking
 * every result would be slow.
 *
 * @param {WebSocketClient} client
 * @param {Buffer} data
 * @param {boolean} isBinary
 */
function emitMessage(client, data, isBinary) {
  lastFrameError.error = undefined;
  // The program has replaced `emit`.
  if (client.emit !== IndexedEmitter.prototype.emit) {
    client.emit('message', data, isBinary);
    // The listener of Baileys 6 is synchronous and returns no promise that could be rejected.
    if (lastFrameError.error !== undefined && client instanceof WebSocketClient6) endByFrame(client);
    return;
  }
  for (const listener of client.rawListeners('message')) {
    lastFrameError.error = undefined;
    const result = listener.call(client, data, isBinary);
    if (lastFrameError.error === undefined) continue;
    if (typeof result?.then === 'function') {
      result.then(undefined, (/** @type {unknown} */ error) => client[REJECTION](error, 'message'));
    } else {
      endByFrame(client);
    }
  }
}

/**
 * Emits `error`, which ends the connection. Called after a frame has failed in a synchronous listener, such as that of
 * Baileys 6.
 *
 * @param {WebSocketClient} client
 */
function endByFrame(client) {
  const { error, promise } = lastFrameError;
  // Without a listener the rejection stays unhandled, as in Baileys.
  if (error === undefined || client.listenerCount('error') === 0) return;
  promise?.catch(() => {});
  process.nextTick(() => client.emit('error', asConnectionError(error)));
}

/** A timer of Baileys can be this many milliseconds ahead of the addon's clock. */
const TIMER_SLACK_MS = 100;

/**
 * Ends a connection at once if the server was silent for the time that Baileys allows. Such a server does not answer a
 * close frame, for which `ws` would wait 30 s.
 *
 * @param {any} socket socket of the client
 * @param {any} config
 */
function endIfSilent(socket, config) {
  const reception = socket instanceof Socket ? socket.reception : undefined;
  if (reception === undefined) return;
  // Until the first message the limit is `connectTimeoutMs`. Afterwards it is the keep-alive interval plus `GRACE_MS`
  // without any data.
  const limit = reception.hasMessages ? config?.keepAliveIntervalMs + GRACE_MS : config?.connectTimeoutMs;
  if (limit > 0 && reception.silence >= limit - TIMER_SLACK_MS) socket.terminate();
}

/** The class of Baileys 6: `connect` is asynchronous, and `close` does not wait for the end. */
class WebSocketClient6 extends WebSocketClient {
  async connect() {
    await super.connect();
  }

  async close() {
    const { socket } = this;
    this.socket = null;
    endIfSilent(socket, this.config);
    socket?.close();
  }
}

/**
 * Creates the class for one copy of Baileys.
 *
 * @param {import('../shared/baileys-layout.cjs').Dialect} dialect
 * @param {() => BaileysClientClass | undefined} [original] the copy's own class, for
 *   agents that are not supported natively; without it such a connection fails
 */
function createWebSocketClient(dialect, original) {
  const Base = dialect === '7' ? WebSocketClient : WebSocketClient6;
  return class extends Base {
    static name = 'WebSocketClient';
    static [ORIGINAL] = original;
  };
}

module.exports = { createWebSocketClient };
