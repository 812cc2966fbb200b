'use strict';

const { UNAVAILABLE, loadBinding } = require('../addon/binding.cjs');

/** Metrics of all sessions and sockets in all threads of this process; see `index.d.ts`. */
function metrics() {
  return JSON.parse(loadBinding().processMetrics());
}

/** The result of `metrics`. Undefined if the addon cannot be loaded. */
function metricsIfAny() {
  try {
    return metrics();
  } catch (error) {
    if (error.code !== UNAVAILABLE) throw error;
    return undefined;
  }
}

module.exports = { metrics, metricsIfAny };
