'use strict';

/** An agent asks for something that the native part cannot do. Nothing is connected then: it may be there to hide the caller. */
class Unsupported extends Error {
  /** @param {string} reason */
  constructor(reason) {
    super(`The agent cannot be used for a native connection (${reason}); not connecting without it`);
    this.name = 'Error';
    this.code = 'ERR_AGENT_UNSUPPORTED';
    Object.defineProperty(this, 'reason', { value: reason });
  }
}

module.exports = { Unsupported };
