'use strict';

const { install } = require('./install.cjs');
const { isActive } = require('./state.cjs');

install();

module.exports = { isActive };
