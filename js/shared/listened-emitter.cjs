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
