'use strict';

/** The addon, or one error that says what is missing: `./native.cjs`, which is generated, knows nothing of this package. */

const { unavailableMessage } = require('./platform.cjs');

const UNAVAILABLE = 'ERR_NATIVE_UNAVAILABLE';

/** @param {unknown} cause */
function unavailable(cause) {
  return Object.assign(new Error(unavailableMessage(cause), { cause }), { code: UNAVAILABLE });
}

/** @returns {typeof import('./native.cjs')} */
function loadBinding() {
  try {
    return require('./native.cjs');
  } catch (error) {
    throw unavailable(error);
  }
}

module.exports = { UNAVAILABLE, loadBinding };
