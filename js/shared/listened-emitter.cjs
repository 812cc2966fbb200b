'use strict';

const { EventEmitter } = require('node:events');

/**
 * An EventEmitter that tells when listeners have come or gone. It takes no listener of its own for that, which a user
 * would see, and could take off.
 */
class ListenedEmitter extends EventEmitter {
  #changed;

  /**
   * @param {() => void} changed called after each call that may have added or removed listeners; before one that removes
   *   some as well, since what listens to `removeListener` is called when they have gone
   * @param {ConstructorParameters<typeof EventEmitter>[0]} [options]
   */
  constructor(changed, options) {
    super(options);
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
    this.#changed();
    super.removeListener(name, listener);
    this.#changed();
    return this;
  }

  off(name, listener) {
    this.#changed();
    super.off(name, listener);
    this.#changed();
    return this;
  }

  removeAllListeners(...args) {
    this.#changed();
    super.removeAllListeners(...args);
    this.#changed();
    return this;
  }
}

module.exports = { ListenedEmitter };
