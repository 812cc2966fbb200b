'use strict';

const { isSharedArrayBuffer, isUint8Array } = require('node:util/types');

/**
 * Copies a Uint8Array over shared memory: another thread could change it while the addon reads it. Any other value is
 * returned unchanged.
 *
 * @template T
 * @param {T} data
 * @returns {T | Uint8Array}
 */
function unshared(data) {
  return isUint8Array(data) && isSharedArrayBuffer(data.buffer) ? Uint8Array.from(data) : data;
}

module.exports = { unshared };
