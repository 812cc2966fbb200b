'use strict';

const { install } = require('./install.cjs');
const { isActive, replaced } = require('./state.cjs');

install();

module.exports = { isActive, replaced };
