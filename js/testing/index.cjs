'use strict';

// Works if Node.js can require ES modules: 20.19, and 22.12 or later. Other versions throw ERR_REQUIRE_ESM; there the
// program must use `import()`.
module.exports = require('./index.mjs');
