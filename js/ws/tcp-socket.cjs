'use strict';

const { EventEmitter } = require('node:events');
const { Socket: NodeSocket, isIPv6 } = require('node:net');
const pump = require('../addon/event-pump.cjs');

/**
 * The TCP connection of an open WebSocket. It has the methods of `net.Socket` that programs call on the `_socket` of `ws`.
 * It cannot read or write bytes.
 */
class TcpSocket extends EventEmitter {
  #id;
  #terminate;
  /** @type {import('../addon/native').SocketEndpoints | undefined} */
  #endpoints;
  /** Implements `setTimeout`. It never connects. */
  #clock = new NodeSocket();
  destroyed = false;

  /**
   * @param {number} id number of the WebSocket in the addon
   * @param {() => void} terminate ends the WebSocket
   */
  constructor(id, terminate) {
    super();
    this.#id = id;
    this.#terminate = terminate;
    this.#clock.on('timeout', () => this.emit('timeout'));
  }

  /**
   * As in Node, after the end the remote address is known only if it was read before; the local address is unknown.
   *
   * @template {keyof import('../addon/native').SocketEndpoints} Name
   * @param {Name} name
   */
  #endpoint(name) {
    if (this.destroyed && name.startsWith('local')) return undefined;
    this.#endpoints ??= pump.endpoints(this.#id) ?? undefined;
    return this.#endpoints?.[name];
  }

  get remoteAddress() {
    return this.#endpoint('remoteAddress');
  }

  get remotePort() {
    return this.#endpoint('remotePort');
  }

  get remoteFamily() {
    return familyOf(this.remoteAddress);
  }

  get localAddress() {
    return this.#endpoint('localAddress');
  }

  get localPort() {
    return this.#endpoint('localPort');
  }

  get localFamily() {
    return familyOf(this.localAddress);
  }

  /** The local address. */
  address() {
    const { localAddress: address, localPort: port, localFamily: family } = this;
    return address === undefined ? {} : { address, family, port };
  }

  /** Milliseconds without traffic until `timeout` is emitted; 0: never. */
  get timeout() {
    return this.#clock.timeout;
  }

  /**
   * @param {number} milliseconds
   * @param {() => void} [callback] added as listener of the next `timeout`; with 0 milliseconds it is removed
   */
  setTimeout(milliseconds, callback) {
    if (this.destroyed) return this;
    this.#clock.setTimeout(milliseconds);
    if (callback === undefined) return this;
    if (milliseconds === 0) this.removeListener('timeout', callback);
    else this.once('timeout', callback);
    return this;
  }

  /** Restarts the timeout: data was sent or received. */
  touch() {
    const { timeout } = this.#clock;
    if (timeout) this.#clock.setTimeout(timeout);
  }

  /**
   * Sets TCP keep-alive.
   *
   * @param {boolean} [enable]
   * @param {number} [initialDelay] in milliseconds
   */
  setKeepAlive(enable, initialDelay) {
    pump.setKeepAlive(this.#id, enable ? Math.max(0, ~~(Number(initialDelay) / 1000)) : undefined);
    return this;
  }

  /** @param {boolean} [noDelay] */
  setNoDelay(noDelay) {
    pump.setNoDelay(this.#id, noDelay === undefined || Boolean(noDelay));
    return this;
  }

  /**
   * Ends the connection and the WebSocket at once.
   *
   * @param {Error} [error] emitted as `error` if there is a listener
   */
  destroy(error) {
    if (this.destroyed) return this;
    this.#terminate();
    if (error && this.listenerCount('error') > 0) process.nextTick(() => this.emit('error', error));
    return this;
  }

  /** The WebSocket is being destroyed. */
  markDestroyed() {
    this.destroyed = true;
    this.#clock.destroy();
  }
}

/** @param {string | undefined} address */
function familyOf(address) {
  if (address === undefined) return undefined;
  return isIPv6(address) ? 'IPv6' : 'IPv4';
}

module.exports = { TcpSocket };
