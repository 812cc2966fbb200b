'use strict';

/**
 * An agent asks for something that the native part cannot do. Nothing is connected then: it may be there to hide the
 * caller.
 */
class Unsupported extends Error {
  #reason;

  /** @param {string} reason */
  constructor(reason) {
    super(`The agent cannot be used for a native connection (${reason}); not connecting without it`);
    this.name = 'Error';
    this.code = 'ERR_AGENT_UNSUPPORTED';
    this.#reason = reason;
  }

  get reason() {
    return this.#reason;
  }
}

module.exports = { Unsupported };
