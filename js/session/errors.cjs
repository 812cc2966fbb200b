'use strict';

const { boom } = require('../errors.cjs');

/** Baileys' `DisconnectReason.connectionClosed`: it rejects with this what finds no connection. */
const CONNECTION_CLOSED = 428;
/** Baileys' `DisconnectReason.timedOut`. */
const TIMED_OUT = 408;

/**
 * What a session rejects and ends with. `code` names the error; `statusCode` is what Baileys would have in
 * `error.output.statusCode`, which is there as well, so that code written for Baileys reads it.
 */
class SessionError extends Error {
  name = 'SessionError';

  /**
   * @param {string} message
   * @param {string} code
   * @param {number} [statusCode]
   */
  constructor(message, code, statusCode) {
    super(message);
    this.code = code;
    this.statusCode = statusCode;
    const { isBoom, isServer, data, output } = /** @type {any} */ (boom(message, statusCode ?? 500));
    Object.assign(this, { isBoom, isServer, data, output });
  }
}

/** An answer that is an error stanza. */
class StanzaError extends SessionError {
  name = 'StanzaError';

  /**
   * @param {string} text the stanza's
   * @param {number} [statusCode] the stanza's code
   */
  constructor(text, statusCode) {
    super(text, 'ERR_STANZA', statusCode);
    this.text = text;
    /** @type {any} As in Baileys, the code. */ (this).data = statusCode;
  }
}

/** The error of a query, from what src/bindings/session_json.rs wrote. */
function queryError({ kind, message, statusCode }) {
  switch (kind) {
    case 'refused':
      return new StanzaError(message, statusCode);
    case 'timedOut':
      return new SessionError(message, 'ERR_QUERY_TIMEOUT', TIMED_OUT);
    case 'cancelled':
      return new SessionError(message, 'ERR_QUERY_CANCELLED');
    default:
      return new SessionError(message, 'ERR_CONNECTION_CLOSED', statusCode);
  }
}

/** The error of a stanza that the addon did not accept. Others, of the flattener, stay as they are. */
function sendError(error) {
  if (typeof error?.code !== 'string') return error;
  return new SessionError(
    error.message,
    error.code,
    error.code === 'ERR_NOT_CONNECTED' ? CONNECTION_CLOSED : undefined
  );
}

/** The error that a connection's end stands for. */
function endError({ message, code, kind }) {
  return Object.assign(new SessionError(message, 'ERR_SESSION_ENDED', code), { reason: kind });
}

module.exports = { SessionError, StanzaError, queryError, sendError, endError, CONNECTION_CLOSED };
