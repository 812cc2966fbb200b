'use strict';

/**
 * What a bot does after its connection has ended: it connects again after `delayMs`, or it stops for the reason `stop`.
 *
 * @param {{ DisconnectReason: Record<string, string | number> }} baileys
 * @param {any} error `lastDisconnect.error` of the update.
 * @returns {{ stop?: string, delayMs: number }}
 */
function afterClose({ DisconnectReason }, error) {
  switch (error?.output?.statusCode) {
    case DisconnectReason.loggedOut:
      return { stop: 'logged out; delete the auth folder to link again', delayMs: 0 };
    // If both programs connected again, each would end the connection of the other, without an end.
    case DisconnectReason.connectionReplaced:
      return { stop: 'another program has connected with the same credentials; stop one of them', delayMs: 0 };
    // The server requests this after it has linked a device.
    case DisconnectReason.restartRequired:
      return { delayMs: 0 };
    default:
      return { delayMs: 5_000 };
  }
}

module.exports = { afterClose };
