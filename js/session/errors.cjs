'use strict';

const { boom } = require('../shared/boom.cjs');
const { textOfError, transportError } = require('../shared/transport-error.cjs');

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
   * @param {ErrorOptions} [options]
   */
  constructor(message, code, statusCode, options) {
    super(message, options);
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

/** The error of a query, from what src/bindings/session_json.rs wrote. One that is cancelled has rejected already. */
function queryError({ kind, message, statusCode }) {
  switch (kind) {
    case 'refused':
      return new StanzaError(message, statusCode);
    case 'timedOut':
      return new SessionError(message, 'ERR_QUERY_TIMEOUT', TIMED_OUT);
    default:
      return new SessionError(message, 'ERR_CONNECTION_CLOSED', statusCode);
  }
}

/** The error of a node that cannot be written: what the flattener has thrown, or a getter of the node's. */
function nodeError(cause) {
  const message = cause instanceof Error ? cause.message : String(cause);
  return new SessionError(message, 'ERR_INVALID_NODE', undefined, { cause });
}

/** The error of a stanza that the addon did not accept. */
function sendError(error) {
  if (typeof error?.code !== 'string') return error;
  return new SessionError(
    error.message,
    error.code,
    error.code === 'ERR_NOT_CONNECTED' ? CONNECTION_CLOSED : undefined
  );
}

/**
 * Why a connection ended. A failure of the transport becomes the error that a socket of the drop-in would give.
 *
 * @param {any} described what src/bindings/session_json.rs wrote
 */
function endReason(described) {
  if (described?.failure === undefined) return described;
  const { failure, ...reason } = described;
  const cause = transportError(failure);
  reason.message = `WebSocket Error (${textOfError(cause)})`;
  if (cause.code !== undefined) reason.errorCode = cause.code;
  // Not enumerable, so that a reason that is logged or compared is a plain object.
  return Object.defineProperty(reason, 'cause', { value: cause });
}

/** The error that a connection's end stands for. */
function endError({ message, code, kind, cause }) {
  const options = cause === undefined ? undefined : { cause };
  return Object.assign(new SessionError(message, 'ERR_SESSION_ENDED', code, options), { reason: kind });
}

module.exports = {
  endReason,
  SessionError,
  StanzaError,
  queryError,
  nodeError,
  sendError,
  endError,
  CONNECTION_CLOSED
};
