'use strict';

const { UNAVAILABLE, loadBinding } = require('../addon/binding.cjs');

/** What the sessions and sockets of this process, of all its threads, have done and hold; see `index.d.ts`. */
function metrics() {
  return JSON.parse(loadBinding().processMetrics());
}

/** The same; undefined where there is no addon that could count. */
function metricsIfAny() {
  try {
    return metrics();
  } catch (error) {
    if (error.code !== UNAVAILABLE) throw error;
    return undefined;
  }
}

module.exports = { metrics, metricsIfAny };
