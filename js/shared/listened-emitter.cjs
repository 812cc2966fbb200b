'use strict';

const { EventEmitter } = require('node:events');

/**
 * An EventEmitter that reports changes of its listeners. It does not listen to `newListener` for that: users would see
 * this listener and could remove it.
 */
class ListenedEmitter extends EventEmitter {
  #changed;

  /**
   * @param {() => void} changed called after each call that may add or remove listeners. It is also called before a
   *   removal, because Node calls listeners of `removeListener` during the removal
   * @param {ConstructorParameters<typeof EventEmitter>[0]} [options]
   */
  constructor(changed, options) {
    super(options);
    this.#changed = changed;
  }

  // Node implements `once` and `prependOnceListener` by these methods.
  /**
   * @param {string | symbol} name
   * @param {(...args: any[]) => void} listener
   */
  on(name, listener) {
    super.on(name, listener);
    this.#changed();
    return this;
  }

  /**
   * @param {string | symbol} name
   * @param {(...args: any[]) => void} listener
   */
  addListener(name, listener) {
    super.addListener(name, listener);
    this.#changed();
    return this;
  }

  /**
   * @param {string | symbol} name
   * @param {(...args: any[]) => void} listener
   */
  prependListener(name, listener) {
    super.prependListener(name, listener);
    this.#changed();
    return this;
  }

  /**
   * @param {string | symbol} name
   * @param {(...args: any[]) => void} listener
   */
  removeListener(name, listener) {
    this.#changed();
    super.removeListener(name, listener);
    this.#changed();
    return this;
  }

  /**
   * @param {string | symbol} name
   * @param {(...args: any[]) => void} listener
   */
  off(name, listener) {
    this.#changed();
    super.off(name, listener);
    this.#changed();
    return this;
  }

  /** @param {...any} args */
  removeAllListeners(...args) {
    this.#changed();
    super.removeAllListeners(...args);
    this.#changed();
    return this;
  }
}

module.exports = { ListenedEmitter };
