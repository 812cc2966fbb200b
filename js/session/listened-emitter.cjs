'use strict';

const { EventEmitter } = require('node:events');

/**
 * An EventEmitter that tells when listeners have come or gone. It takes no listener of its own for that, which a user
 * would see, and could take off.
 */
class ListenedEmitter extends EventEmitter {
  #changed;

  /** @param {() => void} changed called after each call that may have added or removed listeners */
  constructor(changed) {
    super();
    this.#changed = changed;
  }

  // `once` and `prependOnceListener` come through these as well.
  on(name, listener) {
    super.on(name, listener);
    this.#changed();
    return this;
  }

  addListener(name, listener) {
    super.addListener(name, listener);
    this.#changed();
    return this;
  }

  prependListener(name, listener) {
    super.prependListener(name, listener);
    this.#changed();
    return this;
  }

  removeListener(name, listener) {
    super.removeListener(name, listener);
    this.#changed();
    return this;
  }

  off(name, listener) {
    super.off(name, listener);
    this.#changed();
    return this;
  }

  removeAllListeners(...args) {
    super.removeAllListeners(...args);
    this.#changed();
    return this;
  }
}

module.exports = { ListenedEmitter };
