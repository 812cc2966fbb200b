'use strict';

const { AddonUnavailableError } = require('./addon-unavailable.cjs');

/** The addon, from this repository's build or from the package of this platform. */
function load() {
  try {
    return require('./native.cjs');
  } catch (error) {
    throw new AddonUnavailableError(error);
  }
}

module.exports = load();
