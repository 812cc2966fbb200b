'use strict';

// On globalThis: all copies of this package in a thread share it.
const KEY = Symbol.for('baileys-native.left-to-baileys');
const store = /** @type {Record<symbol, WeakSet<object> | undefined>} */ (/** @type {unknown} */ (globalThis));

/** Upgrade requests of Baileys' own class for connections that this package does not support. */
const requests = (store[KEY] ??= new WeakSet());

/**
 * Records a connection that was intentionally left to Baileys' own class.
 *
 * @param {{ _req?: object } | null | undefined} socket the WebSocket of the package `ws`
 */
function noteLeftToBaileys(socket) {
  if (socket?._req) requests.add(socket._req);
}

/**
 * Whether this request was intentionally left to Baileys' own class.
 *
 * @param {object} request
 */
const isLeftToBaileys = request => requests.has(request);

module.exports = { isLeftToBaileys, noteLeftToBaileys };
