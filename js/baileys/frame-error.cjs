'use strict';

/** Marks an error of an inbound frame. If no listener handles it, our socket ends its connection with it. */
const FRAME_ERROR = Symbol.for('baileys-native.frame-error');

/**
 * The latest marked error. The socket sets it to undefined before it emits `message`, and reads it afterwards.
 *
 * @type {{ latest: Error | undefined }}
 */
const failure = { latest: undefined };

module.exports = { failure, FRAME_ERROR };
