'use strict';

/** What the sessions and sockets of this process, of all its threads, have done and hold; see `index.d.ts`. */
function metrics() {
  // Here, so that a program that only might ask loads without the addon.
  return JSON.parse(require('../addon.cjs').processMetrics());
}

module.exports = { metrics };
