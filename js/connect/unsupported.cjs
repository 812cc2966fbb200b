'use strict';

/**
 * The error of a connection that an agent or the program asks for and that is not supported natively. No connection is
 * made without the agent: the agent may hide the address of the caller.
 */
class Unsupported extends Error {
  #reason;

  /**
   * @param {string} reason
   * @param {string} [subject] what is not supported; default: the agent
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
