'use strict';

/** One native connection with the states, events, errors and most methods of the `WebSocket` class of `ws`. */

// Not the global one, which a test can replace by a fake that never calls back.
const { setImmediate } = require('node:timers');

const {
  accepted: { NO: REFUSED },
  socketEvent: {
    BINARY,
    CLOSED: ENDED,
    CLOSE_FRAME,
    ERROR,
    OPEN: OPENED,
    PING,
    PONG,
    TEXT,
    UNEXPECTED_RESPONSE,
    UPGRADE,
    WRITTEN
  }
} = require('../addon/abi.cjs');
const pump = require('../addon/event-pump.cjs');
const keepAlive = require('../addon/keep-alive.cjs');
const observe = require('../observe/socket.cjs');
const { resolvePlan } = require('../connect/plan.cjs');
const { unshared } = require('../shared/bytes.cjs');
const { transportError } = require('../shared/transport-error.cjs');
const { EventTargetEmitter } = require('./event-target.cjs');
const { CONNECTING, OPEN, CLOSING, CLOSED, STATE_NAMES } = require('./ready-state.cjs');
const { HandshakeRequest, incomingMessage, refusal } = require('./response.cjs');
const { SendCallbacks } = require('./send-callbacks.cjs');
const { TcpSocket } = require('./tcp-socket.cjs');

/** @import { SendCallback } from './send-callbacks.cjs' */

const EMPTY = Buffer.alloc(0);

/** RFC 6455, section 5.5: the most bytes in a ping or pong. */
const MAX_CONTROL = 125;

/** RFC 6455, section 7.1.5: the close code if no close frame was received. */
const ABNORMAL = 1006;

const CLOSED_EARLY = 'WebSocket was closed before the connection was established';

/** Events that are forwarded to the client, in the order in which Baileys registers its listeners. */
const FORWARDED = ['close', 'error', 'upgrade', 'message', 'open', 'ping', 'pong', 'unexpected-response'];

/** @template {import('node:events').EventEmitter} Client the client, which emits the events */
class Socket extends EventTargetEmitter {
  /** Listeners that forward events to the client. A program can remove them, as in Baileys. All sockets share them. */
  static #forwarders = FORWARDED.map(name => ({
    name,
    /**
     * @this {Socket<any>}
     * @param {...any} args
     */
    forward(...args) {
      if (name === 'message') this.#emitMessage(this.#emitter, args[0], args[1]);
      else this.#emitter.emit(name, ...args);
    }
  }));
  static #forwardMessage = Socket.#forwarders.find(({ name }) => name === 'message')?.forward;
  static #forwardListeners = new Set(Socket.#forwarders.map(({ forward }) => forward));

  #emitter;
  #emitMessage;
  #url;
  #id = 0;
  #options;
  #adaptError;
  /** @type {((reason: string) => import('node:events').EventEmitter | undefined) | undefined} */
  #createFallback;
  #closeCode = ABNORMAL;
  #closeReason = EMPTY;
  /** @type {((value?: undefined) => void)[]} */
  #closeWaiters = [];
  #sendCallbacks = new SendCallbacks();
  /** True after `open`: there is a connection to destroy. */
  #wasOpen = false;
  #hasMessages = false;
  #isDestroyed = false;
  #isPaused = false;
  /**
   * The TCP connection, after the program has used `_socket`.
   *
   * @type {InstanceType<typeof TcpSocket> | undefined}
   */
  #tcp;
  /** Whether the program has ended the connection. */
  #isClosedByProgram = false;
  /** Bytes that were passed to `send`, `ping` and `pong` after the connection had ended. */
  #sentAfterClose = 0;

  /**
   * @param {Client} emitter
   * @param {import('../connect/plan.cjs').Plan} plan
   * @param {(emitter: Client, data: Buffer, isBinary: boolean) => void} emitMessage
   * @param {(reason: string) => import('node:events').EventEmitter | undefined} [createFallback] creates Baileys'
   *   own socket. It is called if the server needs TLS features that the addon does not have
   */
  constructor(emitter, plan, emitMessage, createFallback) {
    super();
    this.readyState = CONNECTING;
    this.#emitter = emitter;
    this.#emitMessage = emitMessage;
    this.#createFallback = createFallback;
    this.#url = plan.url;
    this.setMaxListeners(0);
    for (const { name, forward } of Socket.#forwarders) this.on(name, forward);
    this.#options = plan.options;
    this.#adaptError = plan.route?.adaptError;
    if (plan.error) {
      this.#fail(plan.error);
      return;
    }
    resolvePlan(plan.options, plan.route, error => {
      if (this.readyState !== CONNECTING) return;
      // A lookup may call back at once. `#fail` emits in the next tick, so nothing is emitted inside connect().
      if (error) this.#fail(error);
      else this.#connect();
    });
  }

  #connect() {
    try {
      this.#id = pump.connect(this, this.#options);
    } catch (error) {
      this.#fail(error);
    }
  }

  /**
   * Emits `error` and `close` in the next tick.
   *
   * @param {Error} error
   */
  #fail(error) {
    this.readyState = CLOSING;
    process.nextTick(() => this.#emitErrorAndClose(error));
  }

  /** @param {Error} error */
  #emitErrorAndClose(error) {
    this.readyState = CLOSING;
    try {
      this.#emitError(error);
    } finally {
      this.#emitClose();
    }
  }

  /**
   * Emits an error, unless the program has ended the connection and has no listener. Baileys 6.17 removes its listener
   * before it closes; the error would end the process.
   *
   * @param {Error} error
   */
  #emitError(error) {
    if (!this.#isClosedByProgram || this.#isHeard('error')) this.#emit('error', error);
  }

  /**
   * Whether an event has a listener on this socket or on its client.
   *
   * @param {string} name
   */
  #isHeard(name) {
    return this.listeners(name).some(
      listener => !Socket.#forwardListeners.has(/** @type {any} */ (listener)) || this.#emitter.listenerCount(name) > 0
    );
  }

  #emitClose() {
    this.readyState = CLOSED;
    this.#sendCallbacks.fail();
    try {
      this.#emit('close', this.#closeCode, this.#closeReason);
    } finally {
      const waiters = this.#closeWaiters;
      this.#closeWaiters = [];
      for (const resolve of waiters) resolve();
    }
  }

  /**
   * @param {string} name
   * @param {...unknown} args
   */
  #emit(name, ...args) {
    observe.event(name, this.#emitter, this.#id, ...args);
    this.emit(name, ...args);
  }

  /**
   * Stops connecting.
   *
   * @param {Error} error
   */
  #abort(error) {
    if (this.readyState !== CONNECTING) return;
    pump.release(this.#id);
    this.#fail(error);
  }

  /**
   * Leaves the connection to another socket, with the listeners that the program has added here.
   *
   * @param {string} reason
   * @returns {boolean} whether there is one
   */
  #moveToFallback(reason) {
    const other = this.readyState === CONNECTING ? this.#createFallback?.(reason) : undefined;
    if (other === undefined) return false;
    pump.release(this.#id);
    this.readyState = CLOSED;
    for (const name of this.eventNames()) {
      for (const listener of this.rawListeners(name)) {
        if (!Socket.#forwardListeners.has(/** @type {any} */ (listener))) other.on(name, /** @type {any} */ (listener));
      }
    }
    return true;
  }

  /** Starts to close; resolves when closed. */
  close() {
    if (this.readyState === CLOSED) return Promise.resolve();
    this.#isClosedByProgram = true;
    const closed = new Promise(resolve => this.#closeWaiters.push(resolve));
    if (this.readyState === CONNECTING) {
      this.#abort(new Error(CLOSED_EARLY));
    } else if (this.readyState === OPEN) {
      this.readyState = CLOSING;
      pump.close(this.#id);
    }
    return closed;
  }

  /**
   * Ends the connection at once, without a closing handshake. Messages that were received before are still delivered.
   */
  terminate() {
    this.#isClosedByProgram = true;
    if (this.readyState === CONNECTING) {
      this.#abort(new Error(CLOSED_EARLY));
    } else if (this.#wasOpen && this.readyState !== CLOSED && !this.#isDestroyed) {
      this.readyState = CLOSING;
      this.#isDestroyed = true;
      keepAlive.stopKeepAlive(this.#id);
      this.#tcp?.markDestroyed();
      pump.destroy(this.#id);
      // Node emits `close` of a destroyed socket at the end of the loop turn, after all other events of that turn.
      setImmediate(() => setImmediate(() => this.#end()));
    }
  }

  /**
   * The time since data was received on the open connection, in milliseconds.
   *
   * @returns {{ silence: number, hasMessages: boolean } | undefined} undefined if the connection is not open
   */
  get reception() {
    if (this.readyState !== OPEN) return undefined;
    return { silence: pump.silence(this.#id), hasMessages: this.#hasMessages };
  }

  /** Handles the end of the connection. */
  #end() {
    if (this.readyState === CLOSED) return;
    keepAlive.stopKeepAlive(this.#id);
    this.#tcp?.markDestroyed();
    pump.release(this.#id);
    this.#emitClose();
    this.#tcp?.emit('close', false);
  }

  /** The URL of the connection. */
  get url() {
    return this.#url;
  }

  /** Always empty: the client requests no subprotocol. */
  get protocol() {
    return '';
  }

  /** Always empty: the client offers no extension. */
  get extensions() {
    return '';
  }

  get binaryType() {
    return 'nodebuffer';
  }

  /** Ignored: only `nodebuffer` is supported. `ws` ignores unsupported types too. */
  set binaryType(type) {}

  /**
   * Stops reading, so that TCP makes the server wait. Messages that were already read are still delivered, as with
   * `ws`.
   */
  pause() {
    this.#setPaused(true);
  }

  /** Reads again. */
  resume() {
    this.#setPaused(false);
  }

  /** @param {boolean} isPaused */
  #setPaused(isPaused) {
    if (this.readyState === CONNECTING || this.readyState === CLOSED) return;
    this.#isPaused = isPaused;
    pump.setPaused(this.#id, isPaused);
  }

  get isPaused() {
    return this.#isPaused;
  }

  /** The TCP connection. As with `ws`, it exists from `open` on. */
  get _socket() {
    if (!this.#wasOpen) return null;
    if (this.#tcp === undefined) {
      this.#tcp = new TcpSocket(this.#id, () => this.terminate());
      if (this.#isDestroyed || this.readyState === CLOSED) this.#tcp.markDestroyed();
    }
    return this.#tcp;
  }

  /** The number of the connection in the addon. */
  get id() {
    return this.#id;
  }

  /**
   * @param {any} data
   * @param {{ binary?: boolean } | SendCallback} [options] only `binary` is used
   * @param {SendCallback} [callback]
   */
  send(data, options, callback) {
    if (typeof options === 'function') {
      callback = options;
      options = undefined;
    }
    if (this.readyState === CONNECTING) throw new Error('WebSocket is not open: readyState 0 (CONNECTING)');
    if (typeof data === 'number') data = data.toString();
    const isText = !(options?.binary ?? typeof data !== 'string');
    const bytes = data ? asBytes(data) : EMPTY;
    this.#tcp?.touch();
    const accepted = this.readyState === OPEN ? pump.send(this.#id, bytes, isText ? 1 : 0) : REFUSED;
    this.#sendCallbacks.settle(accepted, callback, this.readyState);
    if (this.readyState !== OPEN) this.#sentAfterClose += bytes.length;
  }

  /**
   * Sends a ping. The peer answers it with a `pong` event.
   *
   * @param {any} [data] at most 125 bytes
   * @param {unknown} [mask] ignored: a client always masks
   * @param {SendCallback} [callback]
   */
  ping(data, mask, callback) {
    this.#control(0, data, mask, callback);
  }

  /**
   * Sends an unsolicited pong.
   *
   * @param {any} [data] at most 125 bytes
   * @param {unknown} [mask] ignored: a client always masks
   * @param {SendCallback} [callback]
   */
  pong(data, mask, callback) {
    this.#control(1, data, mask, callback);
  }

  /**
   * @param {0 | 1} isPong
   * @param {any} data
   * @param {unknown} mask
   * @param {SendCallback | undefined} callback
   */
  #control(isPong, data, mask, callback) {
    if (this.readyState === CONNECTING) throw new Error('WebSocket is not open: readyState 0 (CONNECTING)');
    if (typeof data === 'function') {
      callback = data;
      data = undefined;
    } else if (typeof mask === 'function') {
      callback = /** @type {any} */ (mask);
    }
    if (typeof data === 'number') data = data.toString();
    const bytes = data ? asBytes(data) : EMPTY;
    const isOpen = this.readyState === OPEN;
    if (isOpen && bytes.length > MAX_CONTROL) {
      throw new RangeError(`The data size must not be greater than ${MAX_CONTROL} bytes`);
    }
    this.#tcp?.touch();
    const accepted = isOpen ? pump.sendControl(this.#id, bytes, isPong) : REFUSED;
    this.#sendCallbacks.settle(accepted, callback, this.readyState);
    if (!isOpen) this.#sentAfterClose += bytes.length;
  }

  /** Bytes that were not yet passed to the operating system. Data sent after the end is counted too, as in `ws`. */
  get bufferedAmount() {
    return this.#sentAfterClose + (this.#id === 0 ? 0 : pump.buffered(this.#id));
  }

  /** @param {import('../shared/transport-error.cjs').Description} description */
  #error(description) {
    const error = transportError(description);
    return this.#adaptError?.(error) ?? error;
  }

  /**
   * Handles an answer of the server or of a proxy that is not an upgrade.
   *
   * @param {string} head
   * @param {Buffer} body
   */
  #refused(head, body) {
    const request = new HandshakeRequest(this.#options, () => this.#abort(new Error(CLOSED_EARLY)));
    const response = incomingMessage(head, body);
    const isHeard = this.#isHeard('unexpected-response');
    this.#emit('unexpected-response', request, response);
    // Like `ws` without listeners. The listener of Baileys does not count, because it only forwards the event.
    if (!isHeard) this.#abort(refusal(/** @type {number} */ (response.statusCode)));
  }

  /**
   * @param {Buffer} data
   * @param {boolean} isBinary
   */
  #message(data, isBinary) {
    this.#hasMessages = true;
    observe.message(this.#emitter, this.#id, data, isBinary);
    // Usually the forwarder is the only listener: calling it directly is faster than `emit`.
    const { _events: events } = /** @type {any} */ (this);
    if (events?.message === Socket.#forwardMessage) this.#emitMessage(this.#emitter, data, isBinary);
    else this.emit('message', data, isBinary);
  }

  /**
   * Handles an event of the addon. Its payload is `memory[offset..offset + length]`.
   *
   * @param {number} kind
   * @param {number} value
   * @param {import('../addon/slab.cjs').TextBuffer} memory
   * @param {number} offset
   * @param {number} length
   */
  deliver(kind, value, memory, offset, length) {
    this.#tcp?.touch();
    switch (kind) {
      case BINARY:
        this.#message(pump.message(memory, offset, length), true);
        break;
      case TEXT:
        this.#message(pump.view(memory, offset, length), false);
        break;
      case PING:
        this.#emit('ping', pump.view(memory, offset, length));
        break;
      case PONG:
        this.#emit('pong', pump.view(memory, offset, length));
        break;
      case CLOSE_FRAME:
        this.readyState = CLOSING;
        // The close frame is sent after all messages that are queued.
        pump.close(this.#id);
        this.#closeCode = value;
        // Copied: a view would keep the whole slab alive.
        if (length > 0)
          this.#closeReason = Buffer.from(Uint8Array.prototype.slice.call(memory, offset, offset + length));
        break;
      case WRITTEN:
        this.#sendCallbacks.written(value);
        break;
      case OPENED:
        this.readyState = OPEN;
        this.#wasOpen = true;
        this.#emit('open');
        break;
      case UPGRADE:
        this.#emit('upgrade', incomingMessage(memory.latin1Slice(offset, offset + length)));
        break;
      case UNEXPECTED_RESPONSE: {
        const head = memory.latin1Slice(offset, offset + value);
        this.#refused(head, Buffer.from(Uint8Array.prototype.slice.call(memory, offset + value, offset + length)));
        break;
      }
      case ERROR: {
        const description = JSON.parse(memory.utf8Slice(offset, offset + length));
        if (description.isIncompatible && this.#moveToFallback(description.message)) break;
        this.readyState = CLOSING;
        this.#emitError(this.#error(description));
        break;
      }
      case ENDED:
        this.#end();
        break;
      default:
        throw new Error(`internal error of baileys-native: unknown record kind ${kind}`);
    }
  }
}

for (const [value, name] of STATE_NAMES.entries()) {
  for (const owner of [Socket, Socket.prototype]) Object.defineProperty(owner, name, { enumerable: true, value });
}

/**
 * Converts data to bytes like `ws`. It throws for a detached view, except for a Buffer.
 *
 * @param {any} data
 */
function asBytes(data) {
  if (Buffer.isBuffer(data)) return unshared(data);
  if (ArrayBuffer.isView(data)) return unshared(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  return Buffer.from(data);
}

module.exports = { Socket };
