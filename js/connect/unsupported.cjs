'use strict';

/**
 * A connection cannot be made natively in the way that an agent or the program asks for. Nothing is connected: that way may
 * hide the caller.
 */
class Unsupported extends Error {
  #reason;

  /**
   * @param {string} reason
   * @param {string} [subject] what cannot be used, or cannot be made
   */
  constructor(reason, subject) {
    super(
      subject === undefined
        ? `The agent cannot be used for a native connection (${reason}); not connecting without it`
        : `${subject} cannot be made natively (${reason}); not connecting past it`
    );
    this.name = 'Error';
    this.code = 'ERR_AGENT_UNSUPPORTED';
    this.#reason = reason;
  }

  get reason() {
    return this.#reason;
  }
}

module.exports = { Unsupported };
