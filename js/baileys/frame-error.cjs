'use strict';

/** Marks an error of an inbound frame. If no listener handles it, our socket ends its connection with it. */
const FRAME_ERROR = Symbol.for('baileys-native.frame-error');

/**
 * The latest marked error, and the promise of `decodeFrame` that is rejected with it. The socket sets `error` to
 * undefined before it emits `message`, and reads both afterwards.
 *
 * @type {{ error: (Error & { code?: string }) | undefined, promise: Promise<void> | undefined }}
 */
const lastFrameError = { error: undefined, promise: undefined };

module.exports = { lastFrameError, FRAME_ERROR };
