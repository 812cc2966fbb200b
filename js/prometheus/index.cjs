'use strict';

// `baileys-native/prometheus`: the metrics of the process for a registry of prom-client.

const { metrics } = require('../session/metrics.cjs');
const { families } = require('./families.cjs');

const PREFIX = 'baileys_native_';

/** Returns one snapshot for all families that are read in one turn of the event loop, as in a scrape. */
function snapshots() {
  let current;
  return () => {
    if (current === undefined) {
      current = metrics();
      setImmediate(() => (current = undefined)).unref();
    }
    return current;
  };
}

/**
 * A metric for a registry of prom-client. Counters and histograms of prom-client are not used: their values cannot be
 * set.
 */
class Metric {
  #read;
  #snapshot;

  /** @param {import('./families.cjs').Family} family @param {() => object} snapshot */
  constructor({ name, type, help, aggregator = 'sum', read }, snapshot) {
    this.name = PREFIX + name;
    this.type = type;
    this.help = help;
    this.aggregator = aggregator;
    this.#read = read;
    this.#snapshot = snapshot;
  }

  async get() {
    const { name, type, help, aggregator } = this;
    return { name, type, help, aggregator, values: this.#read(this.#snapshot(), name) };
  }

  /** Does nothing: counters of the process cannot be reset. */
  reset() {}
}

/** @param {{ register?: any }} [options] */
function collectMetrics({ register = require('prom-client').register } = {}) {
  const snapshot = snapshots();
  // If the addon cannot be loaded, this throws now and not at each scrape.
  metrics();
  for (const family of families()) register.registerMetric(new Metric(family, snapshot));
}

module.exports = { collectMetrics };
