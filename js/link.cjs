'use strict';

// How a noise handler and a socket find each other: Baileys wires both together without telling either. A frame of the
// handshake that a handler of ours made remembers its handler; the socket that sends it asks.

const senders = new WeakMap();

/**
 * @param {Buffer} frame a frame of the handshake
 * @param {(socket: number) => void} link told the number of the socket that sends it
 */
function sentBy(frame, link) {
  senders.set(frame, link);
}

/**
 * @param {unknown} data something about to be sent
 * @returns {((socket: number) => void) | undefined}
 */
function senderOf(data) {
  return typeof data === 'object' && data !== null ? senders.get(data) : undefined;
}

module.exports = { sentBy, senderOf };
