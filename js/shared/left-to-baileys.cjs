'use strict';

// On globalThis, so that two copies of this package in one thread know each other's requests.
const KEY = Symbol.for('baileys-native.left-to-baileys');
const store = /** @type {Record<symbol, WeakSet<object> | undefined>} */ (/** @type {unknown} */ (globalThis));

/** Upgrade requests that Baileys' own class makes because this package cannot honour an option of the connection. */
const requests = (store[KEY] ??= new WeakSet());

/**
 * Notes a connection that Baileys' own class opens on purpose.
 *
 * @param {{ _req?: object } | null | undefined} socket the WebSocket of the package `ws`
 */
function noteLeftToBaileys(socket) {
  if (socket?._req) requests.add(socket._req);
}

/**
 * Whether Baileys' own class makes this request on purpose.
 *
 * @param {object} request
 */
const isLeftToBaileys = request => requests.has(request);

module.exports = { isLeftToBaileys, noteLeftToBaileys };
