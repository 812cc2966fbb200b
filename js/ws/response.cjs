'use strict';

const { EventEmitter } = require('node:events');
const { IncomingMessage } = require('node:http');
const { ACCOUNT_STATUSES } = require('../addon/abi.cjs');

/**
 * The response to the upgrade request, as an `IncomingMessage` of Node's http client.
 *
 * @param {string} text fields separated by zero characters: minor version, status, reason, then header names and values
 * @param {Buffer} [body] the bytes of the body that were received
 * @returns {IncomingMessage}
 */
function incomingMessage(text, body) {
  const [minor, status, reason, ...rawHeaders] = text.split('\0');
  // `any`: the types of Node do not have all its fields.
  const message = /** @type {any} */ (new IncomingMessage(/** @type {any} */ (null)));
  message.httpVersionMajor = 1;
  message.httpVersionMinor = Number(minor);
  message.httpVersion = `1.${minor}`;
  message.statusCode = Number(status);
  message.statusMessage = reason;
  // The method that Node's parser uses: `headers` and `headersDistinct` join repeated headers as usual.
  message._addHeaderLines(rawHeaders, rawHeaders.length);
  message.upgrade = body === undefined;
  message.complete = true;
  message._read = () => {};
  if (body?.length) message.push(body);
  message.push(null);
  return message;
}

/** The request of an `unexpected-response` event: the part of Node's `ClientRequest` that listeners use. */
class HandshakeRequest extends EventEmitter {
  #abort;

  /**
   * @param {import('../addon/native').SocketOptions} options
   * @param {() => void} abort
   */
  constructor({ host, target, tls }, abort) {
    super();
    this.method = 'GET';
    this.protocol = tls ? 'https:' : 'http:';
    this.host = host;
    this.path = target;
    this.#abort = abort;
  }

  /** Ends the connection. */
  abort() {
    this.#abort();
  }

  /** Ends the connection. */
  destroy() {
    this.#abort();
    return this;
  }
}

/**
 * The error of a refused upgrade. Baileys reads the status from its message, and treats a status below 400 as 500. The
 * message has no status that has another meaning for Baileys, see {@link ACCOUNT_STATUSES}.
 *
 * @param {number} status
 */
function refusal(status) {
  if (status >= 400 && !ACCOUNT_STATUSES.includes(status)) return new Error(`Unexpected server response: ${status}`);
  const error = new Error(`The server refused the WebSocket upgrade with status ${status}`);
  return Object.assign(error, { code: 'ERR_UNEXPECTED_RESPONSE' });
}

module.exports = { incomingMessage, refusal, HandshakeRequest };
