'use strict';

const { EventEmitter } = require('node:events');
const { IncomingMessage } = require('node:http');

/**
 * The peer's answer as Node's http client gives it.
 *
 * @param {string} text fields between zero characters: minor version, status, reason, then header names and values
 * @param {Buffer} [body] what came of the body
 * @returns {IncomingMessage}
 */
function incomingMessage(text, body) {
  const [minor, status, reason, ...rawHeaders] = text.split('\0');
  // Node's own has a few more things than its types tell.
  const message = /** @type {any} */ (new IncomingMessage(/** @type {any} */ (null)));
  message.httpVersionMajor = 1;
  message.httpVersionMinor = Number(minor);
  message.httpVersion = `1.${minor}`;
  message.statusCode = Number(status);
  message.statusMessage = reason;
  // Node's own way in, so that `headers`, `headersDistinct` and the joining of repeated ones are as ever.
  message._addHeaderLines(rawHeaders, rawHeaders.length);
  message.upgrade = body === undefined;
  message.complete = true;
  message._read = () => {};
  if (body?.length) message.push(body);
  message.push(null);
  return message;
}

/** The request that got an unexpected response: what a listener may want of Node's `ClientRequest`. */
class HandshakeRequest extends EventEmitter {
  #abort;

  constructor({ host, target, tls }, abort) {
    super();
    this.method = 'GET';
    this.protocol = tls ? 'https:' : 'http:';
    this.host = host;
    this.path = target;
    this.#abort = abort;
  }

  /** Gives the connection up. */
  abort() {
    this.#abort();
  }

  /** Gives the connection up. */
  destroy() {
    this.#abort();
    return this;
  }
}

module.exports = { incomingMessage, HandshakeRequest };
