'use strict';

/**
 * The error of a connection that an agent or the program asks for and that is not supported natively. No connection is
 * made without the agent: the agent may hide the address of the caller.
 */
class UnsupportedConnectionError extends Error {
  #reason;

  /**
   * @param {string} reason
   * @param {boolean} [isAgent] whether the agent is not supported, and not the connection in general
   */
  constructor(reason, isAgent = true) {
    super(
      isAgent
        ? `baileys-native does not support this agent: ${reason}. ` +
            'The connection was not opened, because it would bypass the agent.'
        : `baileys-native does not support this connection: ${reason}. The connection was not opened.`
    );
    this.name = 'Error';
    this.code = 'ERR_AGENT_UNSUPPORTED';
    this.#reason = isAgent ? `the agent is not supported: ${reason}` : reason;
  }

  /** The reason without the consequence. */
  get reason() {
    return this.#reason;
  }
}

module.exports = { UnsupportedConnectionError };
