'use strict';

const native = require('../native.cjs');

/** What the sessions and sockets of this process, of all its threads, have done and hold; see `index.d.ts`. */
function metrics() {
  return JSON.parse(native.processMetrics());
}

module.exports = { metrics };
