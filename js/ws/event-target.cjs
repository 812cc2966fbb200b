'use strict';

const { EventEmitter } = require('node:events');

/** @typedef {Function | { handleEvent: Function }} Handler */
/** @typedef {((...args: any[]) => void) & { [HANDLER]?: Handler, [BY_ATTRIBUTE]?: boolean }} SocketListener */

const HANDLER = Symbol('handler');
/** True for a listener that was set by an attribute such as `onopen`. */
const BY_ATTRIBUTE = Symbol('by attribute');

/**
 * For each event: the fields of the event object, made from the arguments of a listener.
 *
 * @type {Record<string, (...args: any[]) => object>}
 */
const FIELDS = {
  open: () => ({}),
  /**
   * @param {Buffer} data
   * @param {boolean} isBinary
   */
  message: (data, isBinary) => ({ data: isBinary ? data : data.toString() }),
  /**
   * RFC 6455, section 7.1.5: 1006 means that no close frame was received.
   *
   * @param {number} code
   * @param {Buffer} reason
   */
  close: (code, reason) => ({ code, reason: reason.toString(), wasClean: code !== 1006 }),
  /** @param {Error} error */
  error: error => ({ error, message: error.message })
};

/** An EventEmitter that also has `addEventListener` and `onopen`, `onmessage`, `onclose`, `onerror`, like `ws`. */
class EventTargetEmitter extends EventEmitter {
  /**
   * @param {string} type
   * @param {Function | { handleEvent: Function }} handler
   * @param {{ once?: boolean }} [options]
   */
  addEventListener(type, handler, options) {
    if (Object.hasOwn(FIELDS, type) && find(this, type, handler) === undefined)
      add(this, type, handler, Boolean(options?.once), false);
  }

  /**
   * @param {string} type
   * @param {Function | { handleEvent: Function }} handler
   */
  removeEventListener(type, handler) {
    const listener = find(this, type, handler);
    if (listener !== undefined) this.removeListener(type, listener);
  }
}

for (const type of Object.keys(FIELDS)) {
  /** @param {EventEmitter} socket */
  const byAttribute = socket => listenersOf(socket, type).find(listener => listener[BY_ATTRIBUTE]);
  Object.defineProperty(EventTargetEmitter.prototype, `on${type}`, {
    configurable: true,
    enumerable: true,
    get() {
      return byAttribute(this)?.[HANDLER] ?? null;
    },
    set(handler) {
      const former = byAttribute(this);
      if (former !== undefined) this.removeListener(type, former);
      if (typeof handler === 'function') add(this, type, handler, false, true);
    }
  });
}

/**
 * @param {EventEmitter} socket
 * @param {string} type
 */
function listenersOf(socket, type) {
  return /** @type {SocketListener[]} */ (socket.listeners(type));
}

/**
 * @param {EventEmitter} socket
 * @param {string} type
 * @param {Handler} handler
 */
function find(socket, type, handler) {
  return listenersOf(socket, type).find(listener => listener[HANDLER] === handler && !listener[BY_ATTRIBUTE]);
}

/**
 * @param {EventEmitter} socket
 * @param {string} type
 * @param {Handler} handler
 * @param {boolean} once
 * @param {boolean} isByAttribute
 */
function add(socket, type, handler, once, isByAttribute) {
  /** @type {SocketListener} */
  const listener = (...args) => {
    const event = { type, target: socket, ...FIELDS[type](...args) };
    if (typeof handler === 'object' && handler.handleEvent) handler.handleEvent(event);
    else /** @type {Function} */ (handler).call(socket, event);
  };
  listener[HANDLER] = handler;
  listener[BY_ATTRIBUTE] = isByAttribute;
  if (once) socket.once(type, listener);
  else socket.on(type, listener);
}

module.exports = { EventTargetEmitter };
