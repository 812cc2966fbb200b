'use strict';

const {
  statusCode: { BAD_SESSION, CONNECTION_CLOSED, CONNECTION_LOST }
} = require('../addon/abi.cjs');
const { boom } = require('../shared/boom.cjs');
const { textOfError, transportError } = require('../shared/transport-error.cjs');

/** @import { EndReason } from '../../index' */

/**
 * The error of a session. `code` names the error. `statusCode` is the status that Baileys would use; it is also in
 * `output.statusCode`, where code written for Baileys reads it.
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
    const { isBoom, isServer, data, output } = /** @type {any} */ (boom(message, statusCode ?? BAD_SESSION));
    Object.assign(this, { isBoom, isServer, data, output });
  }
}

/** The error of a query whose answer is an error stanza. */
class StanzaError extends SessionError {
  name = 'StanzaError';

  /**
   * @param {string} text `text` of the stanza's `error` child
   * @param {number} [statusCode] `code` of that child
   */
  constructor(text, statusCode) {
    super(text, 'ERR_STANZA', statusCode);
    this.text = text;
    /** @type {any} Baileys has the code here too. */ (this).data = statusCode;
  }
}

/**
 * The error of a query, from the JSON of the addon. A cancelled query has already rejected.
 *
 * @param {{ kind: string, message: string, statusCode?: number }} failure
 */
function queryError({ kind, message, statusCode }) {
  switch (kind) {
    case 'refused':
      return new StanzaError(message, statusCode);
    case 'timedOut':
      return new SessionError(message, 'ERR_QUERY_TIMEOUT', CONNECTION_LOST);
    case 'closed':
    case 'cancelled':
      return new SessionError(message, 'ERR_CONNECTION_CLOSED', statusCode);
    case 'outOfMemory':
      return new SessionError(message, 'ERR_MEMORY_ALLOCATION_FAILED');
    default:
      throw new Error(`internal error of baileys-native: unknown query error ${kind}`);
  }
}

/**
 * The error of a node that cannot be encoded. `cause` comes from the flattener or from a getter of the node.
 *
 * @param {unknown} cause
 */
function nodeError(cause) {
  const message = cause instanceof Error ? cause.message : String(cause);
  return new SessionError(message, 'ERR_INVALID_NODE', undefined, { cause });
}

/**
 * The error of a stanza that the addon did not accept.
 *
 * @param {any} error
 */
function sendError(error) {
  if (typeof error?.code !== 'string') return error;
  return new SessionError(
    error.message,
    error.code,
    error.code === 'ERR_NOT_CONNECTED' ? CONNECTION_CLOSED : undefined
  );
}

/**
 * Why a connection ended. A transport failure becomes the error that a drop-in socket emits. If a SOCKS proxy cannot be
 * reached, the error here has a code; the package `socks` keeps only its text.
 *
 * @param {any} described the JSON of the addon
 */
function endReason(described) {
  if (described?.failure === undefined) return described;
  const { failure, ...reason } = described;
  const cause = transportError(failure.textOf ?? failure);
  reason.message = `WebSocket Error (${textOfError(cause)})`;
  if (cause.code !== undefined) reason.errorCode = cause.code;
  // Not enumerable: loggers and comparisons see a plain object.
  return Object.defineProperty(reason, 'cause', { value: cause });
}

/**
 * The error with which `connect()` rejects when the session ends.
 *
 * @param {EndReason} reason
 */
function endError({ message, code, kind, cause }) {
  const options = cause === undefined ? undefined : { cause };
  return Object.assign(new SessionError(message, 'ERR_SESSION_ENDED', code, options), { reason: kind });
}

module.exports = { endReason, SessionError, StanzaError, queryError, nodeError, sendError, endError };
