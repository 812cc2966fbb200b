'use strict';

const { STATUS_CODES } = require('node:http');

/** Where `@hapi/boom` has another name than Node. */
const NAMES = {
  408: 'Request Time-out',
  413: 'Request Entity Too Large',
  414: 'Request-URI Too Large',
  416: 'Requested Range Not Satisfiable',
  418: "I'm a teapot",
  421: 'Unknown',
  504: 'Gateway Time-out',
  508: 'Unknown'
};

/** What an HTTP answer with this error would hold; of a 500 not its message. */
function payloadOf(message, statusCode) {
  const error = NAMES[statusCode] ?? STATUS_CODES[statusCode] ?? 'Unknown';
  return { statusCode, error, message: statusCode === 500 ? 'An internal server error occurred' : message };
}

/**
 * An `Error` of the shape that Baileys' errors have (`@hapi/boom`), so that `lastDisconnect.error.output.statusCode` and
 * `Boom.isBoom` work on it.
 *
 * @param {string} message
 * @param {number} statusCode
 */
function boom(message, statusCode) {
  const error = new Error(message);
  return Object.assign(error, {
    isBoom: true,
    isServer: statusCode >= 500,
    data: null,
    output: { statusCode, payload: payloadOf(message, statusCode), headers: {} }
  });
}

/** Marks an error of a frame, so that our socket ends its connection with it where nobody handles it. */
const FRAME_ERROR = Symbol.for('baileys-native.frame-error');

/** The latest error so marked, for a socket to see whether a listener of its `message` has met one. */
const failure = { latest: undefined };

module.exports = { boom, failure, FRAME_ERROR };
