'use strict';

const native = require('../native.cjs');

/** Figures of single sessions that mean nothing in a sum. */
const SINGLE = new Set(['state', 'lastPingRttMs', 'handshake']);

/** Sums numbers wherever they are; of the greatest depths of queues the greatest. */
function add(sum, figures) {
  for (const [name, value] of Object.entries(figures)) {
    if (SINGLE.has(name)) continue;
    if (Array.isArray(value)) sum[name] = value.map((count, i) => count + (sum[name]?.[i] ?? 0));
    else if (typeof value === 'object') sum[name] = add(sum[name] ?? {}, value);
    else if (name.startsWith('most')) sum[name] = Math.max(sum[name] ?? 0, value);
    else sum[name] = (sum[name] ?? 0) + value;
  }
  return sum;
}

/** The sessions of this process, of all its threads, in one. */
function metrics() {
  const all = JSON.parse(native.sessionMetrics());
  const states = {};
  for (const { state } of all) states[state] = (states[state] ?? 0) + 1;
  return { sessions: all.length, states, ...all.reduce(add, {}) };
}

module.exports = { metrics };
