'use strict';

/**
 * The part of the package's exports that needs the addon. Where that cannot be loaded each name is a function that throws
 * when it is called: a program that imports this package for `isActive` runs on.
 */

const { UNAVAILABLE } = require('../addon/binding.cjs');

const NAMES = /** @type {const} */ ([
  'WebSocketClient',
  'makeNoiseHandler',
  'encodeBinaryNode',
  'decodeBinaryNode',
  'decodeDecompressedBinaryNode',
  'decompressingIfRequired',
  'NativeSession'
]);

function loadStandalone() {
  try {
    const { createDropIn } = require('./drop-in.cjs');
    const { NativeSession } = require('../session/session.cjs');
    return { ...createDropIn(), NativeSession };
  } catch (error) {
    if (error.code !== UNAVAILABLE) throw error;
    return standIns(error);
  }
}

/**
 * @param {Error} error
 * @returns {Record<typeof NAMES[number], any>}
 */
function standIns({ message, cause }) {
  const standIn = name => {
    /** Throws, whether it is called or constructed. */
    function unavailable() {
      throw Object.assign(new Error(`${name} needs the addon. ${message}`, { cause }), { code: UNAVAILABLE });
    }
    return Object.defineProperty(unavailable, 'name', { value: name });
  };
  return /** @type {any} */ (Object.fromEntries(NAMES.map(name => [name, standIn(name)])));
}

module.exports = { loadStandalone };
