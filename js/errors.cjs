'use strict';

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
    output: { statusCode, payload: { statusCode, error: 'Bad Request', message }, headers: {} }
  });
}

/** Marks an error of a frame, so that our socket ends its connection with it where nobody handles it. */
const FRAME_ERROR = Symbol.for('baileys-native.frame-error');

/** The latest error so marked, for a socket to see whether a listener of its `message` has met one. */
const failure = { latest: undefined };

module.exports = { boom, failure, FRAME_ERROR };
