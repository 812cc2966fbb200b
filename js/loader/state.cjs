'use strict';

const { getEnvironmentData, setEnvironmentData } = require('node:worker_threads');

/**
 * @typedef {object} LoaderState
 * @property {boolean} attempted Whether `register` has run in this thread.
 * @property {boolean} active Whether the hooks are installed and the addon is loaded.
 * @property {Set<string>} warned
 */

// On globalThis, so that two copies of this package in one thread install one set of hooks between them.
const KEY = Symbol.for('baileys-native.loader');
const shared = /** @type {Record<symbol, LoaderState | undefined>} */ (/** @type {unknown} */ (globalThis));

/** @type {LoaderState} */
const state = (shared[KEY] ??= { attempted: false, active: false, warned: new Set() });

/**
 * Whether the copies of Baileys in this thread that are loaded from now on get their socket layer from this package.
 *
 * @returns {boolean}
 */
function isActive() {
  return state.active;
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

module.exports = { isActive, state, warnOnce };
