'use strict';

const { STATUS_CODES } = require('node:http');

/** Status texts of `@hapi/boom` that differ from those of Node. @type {Record<number, string>} */
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

/**
 * The `output.payload` of a Boom error. For status 500, Boom hides the message.
 *
 * @param {string} message
 * @param {number} statusCode
 */
function payloadOf(message, statusCode) {
  const error = NAMES[statusCode] ?? STATUS_CODES[statusCode] ?? 'Unknown';
  return { statusCode, error, message: statusCode === 500 ? 'An internal server error occurred' : message };
}

/**
 * Creates an `Error` with the fields of `@hapi/boom`, which Baileys uses: `error.output.statusCode` and `Boom.isBoom`
 * work on it.
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

module.exports = { boom };
