'use strict';

const { getEnvironmentData, setEnvironmentData } = require('node:worker_threads');

// On globalThis: two copies of this package in one thread do not repeat a warning.
const KEY = Symbol.for('baileys-native.warnings');
const store = /** @type {Record<symbol, Set<string> | undefined>} */ (/** @type {unknown} */ (globalThis));

/** Warnings that this thread has emitted. @type {Set<string>} */
const emitted = (store[KEY] ??= new Set());

/**
 * Emits a process warning, at most once per thread. Worker threads that start later do not repeat it.
 *
 * @param {string} code
 * @param {string} message
 */
function warnOnce(code, message) {
  const key = `${code}: ${message}`;
  if (emitted.has(key) || getEnvironmentData(key) === true) return;
  emitted.add(key);
  setEnvironmentData(key, true);
  process.emitWarning(message, { type: 'BaileysNativeWarning', code });
}

module.exports = { warnOnce };
