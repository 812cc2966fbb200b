'use strict';

const { readFileSync } = require('node:fs');
const { join } = require('node:path');

/** @returns {string} The version of this package. */
function packageVersion() {
  return JSON.parse(readFileSync(join(__dirname, '../../package.json'), 'utf8')).version;
}

module.exports = { packageVersion };
