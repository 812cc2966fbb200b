'use strict';

const { isSharedArrayBuffer, isUint8Array } = require('node:util/types');

/**
 * The same bytes in memory that no other thread can write to: native code must not read what may change meanwhile. Anything
 * but a Uint8Array over shared memory is returned as it is.
 *
 * @template T
 * @param {T} data
 * @returns {T | Uint8Array}
 */
function unshared(data) {
  return isUint8Array(data) && isSharedArrayBuffer(data.buffer) ? Uint8Array.from(data) : data;
}

module.exports = { unshared };
