'use strict';

// Links a noise handler to its socket. Baileys does not tell them about each other. The handler registers each
// handshake frame that it makes here; the socket that sends the frame looks it up.

const linkByFrame = new WeakMap();

/**
 * The argument of `onFrame` that tells Baileys that the connection is alive after the thread was blocked. It is not a
 * node, so Baileys only sets the time of the last frame and emits `frame`, which IndexedEmitter suppresses.
 */
const ALIVE_FRAME = Buffer.alloc(0);

/**
 * @param {Buffer} frame a handshake frame
 * @param {(socket: number, interval: number) => void} link called with the number of the socket that sends the frame
 *   and its keep-alive interval in milliseconds (0: the addon must not keep it alive)
 */
function registerHandshakeFrame(frame, link) {
  linkByFrame.set(frame, link);
}

/**
 * @param {unknown} data the data of a `send`
 * @returns {((socket: number, interval: number) => void) | undefined}
 */
function linkOf(data) {
  return typeof data === 'object' && data !== null ? linkByFrame.get(data) : undefined;
}

module.exports = { ALIVE_FRAME, registerHandshakeFrame, linkOf };
