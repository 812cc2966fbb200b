'use strict';

// Where Node.js can require an ES module (20.19, 22.12 and later); elsewhere this throws ERR_REQUIRE_ESM, and `import()` works.
module.exports = require('./index.mjs');
