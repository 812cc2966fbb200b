'use strict';

/**
 * @typedef {object} LoaderState
 * @property {boolean} attempted Whether `register` has run in this thread.
 * @property {boolean} active Whether the hooks are installed and the addon is loaded.
 * @property {Replaced[]} replaced
 * @property {Set<string>} leftAlone Roots of copies with exports that stay on JavaScript, after a warning.
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
const state = (shared[KEY] ??= { attempted: false, active: false, replaced: [], leftAlone: new Set() });

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

module.exports = { isActive, replaced, state };
