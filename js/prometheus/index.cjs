'use strict';

// `baileys-native/prometheus`: the process's metrics for a registry of prom-client.

const { metrics } = require('../session/metrics.cjs');
const { families } = require('./families.cjs');

const PREFIX = 'baileys_native_';

/** One snapshot for all that is read in one turn of the event loop: a scrape reads every family. */
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
 * What prom-client's registry wants of a metric. Its own counters and histograms count by themselves and cannot be set.
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

  /** Counters of the process do not go back. */
  reset() {}
}

/** @param {{ register?: any }} [options] */
function collectMetrics({ register = require('prom-client').register } = {}) {
  const snapshot = snapshots();
  // Where there is no addon this throws, at once and not at each scrape.
  metrics();
  for (const family of families()) register.registerMetric(new Metric(family, snapshot));
}

module.exports = { collectMetrics };
