'use strict';

/** @import { ReplacedCopy } from '../../index' */

/**
 * @typedef {object} LoaderState
 * @property {boolean} attempted Whether `register` has run in this thread.
 * @property {boolean} active Whether the hooks are installed and the addon is loaded.
 * @property {ReplacedCopy[]} replaced
 * @property {Set<string>} notReplaced Roots of copies for which a warning said that exports stay on JavaScript.
 */

// On globalThis: two copies of this package in one thread install the hooks once.
const KEY = Symbol.for('baileys-native.loader');
const shared = /** @type {Record<symbol, LoaderState | undefined>} */ (/** @type {unknown} */ (globalThis));

/** @type {LoaderState} */
const state = (shared[KEY] ??= { attempted: false, active: false, replaced: [], notReplaced: new Set() });

/**
 * Whether copies of Baileys that this thread loads from now on get their socket layer from this package.
 *
 * @returns {boolean}
 */
function isActive() {
  return state.active;
}

/**
 * The copies of Baileys in this thread that got their socket layer from this package.
 *
 * @returns {ReplacedCopy[]}
 */
function replaced() {
  return state.replaced.map(copy => ({ ...copy, exports: copy.exports.toSorted() }));
}

module.exports = { isActive, replaced, state };
