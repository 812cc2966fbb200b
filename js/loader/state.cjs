'use strict';

const { getEnvironmentData, setEnvironmentData } = require('node:worker_threads');

/**
 * @typedef {object} LoaderState
 * @property {boolean} attempted Whether `register` has run in this thread.
 * @property {boolean} active Whether the hooks are installed and the addon is loaded.
 * @property {Replaced[]} replaced
 * @property {Set<string>} warned
 * @property {Set<string>} leftAlone Roots of copies with exports that stay on JavaScript, after a warning.
 * @property {WeakSet<object>} leftToBaileys Requests that Baileys' own class makes in our place.
 */

/**
 * @typedef {object} Replaced A copy of Baileys that runs on this package.
 * @property {string} root Directory of its package.json.
 * @property {string} version
 * @property {string[]} exports Names of its exports that are replaced.
 */

// On globalThis, so that two copies of this package in one thread install one set of hooks between them.
const KEY = Symbol.for('baileys-native.loader');
const shared = /** @type {Record<symbol, LoaderState | undefined>} */ (/** @type {unknown} */ (globalThis));

/** @type {LoaderState} */
const state = (shared[KEY] ??= {
  attempted: false,
  active: false,
  replaced: [],
  warned: new Set(),
  leftAlone: new Set(),
  leftToBaileys: new WeakSet()
});

/**
 * Whether the copies of Baileys in this thread that are loaded from now on get their socket layer from this package.
 *
 * @returns {boolean}
 */
function isActive() {
  return state.active;
}

/**
 * The copies of Baileys that this thread has loaded with their socket layer from this package.
 *
 * @returns {Replaced[]}
 */
function replaced() {
  return state.replaced.map(copy => ({ ...copy, exports: copy.exports.toSorted() }));
}

/**
 * Emits a process warning once, worker threads started later included.
 *
 * @param {string} code
 * @param {string} message
 */
function warnOnce(code, message) {
  const key = `${code}: ${message}`;
  if (state.warned.has(key) || getEnvironmentData(key) === true) return;
  state.warned.add(key);
  setEnvironmentData(key, true);
  process.emitWarning(message, { type: 'BaileysNativeWarning', code });
}

/**
 * Notes a connection that Baileys' own class opens on purpose.
 *
 * @param {{ _req?: object } | null | undefined} socket the WebSocket of the package `ws`
 */
function noteLeftToBaileys(socket) {
  if (socket?._req) state.leftToBaileys.add(socket._req);
}

module.exports = { isActive, noteLeftToBaileys, replaced, state, warnOnce };
