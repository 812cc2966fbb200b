'use strict';

// How a noise handler and a socket find each other: Baileys wires both together without telling either. A frame of the
// handshake that a handler of ours made remembers its handler; the socket that sends it asks.

const senders = new WeakMap();

/**
 * What an `onFrame` is called with after the thread was blocked, to let Baileys know that the connection lives: not a
 * node, so that Baileys looks at its clock and does nothing else but emit `frame`, which our `emit` keeps to itself.
 */
const LIFE_SIGN = Buffer.alloc(0);

/**
 * @param {Buffer} frame a frame of the handshake
 * @param {(socket: number, interval: number) => void} link told the number of the socket that sends it, and for which
 *   keep-alive interval it is to be kept alive (0: not at all)
 */
function sentBy(frame, link) {
  senders.set(frame, link);
}

/**
 * @param {unknown} data something about to be sent
 * @returns {((socket: number, interval: number) => void) | undefined}
 */
function senderOf(data) {
  return typeof data === 'object' && data !== null ? senders.get(data) : undefined;
}

module.exports = { LIFE_SIGN, sentBy, senderOf };
