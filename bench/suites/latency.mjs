// Round trips of a query, on an idle loop and while a burst of stanzas arrives.

import { alternate, runClient, startServer } from '../lib/process.mjs';
import { compare, percentile, quantile } from '../lib/statistics.mjs';

const LEVELS = {
  full: { rounds: 3, pings: 1000, bursts: 3, count: 50_000 },
  quick: { rounds: 1, pings: 200, bursts: 2, count: 20_000 }
};

/** Time between two queries during a burst, in milliseconds. It is long enough that queries do not change the load. */
const INTERVAL_MS = 5;

const SHARES = Array.from({ length: 200 }, (_, index) => index / 199);

/** Quantiles over all rounds. */
const distribution = (runs, name) => {
  const all = runs.flatMap(run => run[name]);
  return { count: all.length, ms: SHARES.map(share => quantile(all, share)) };
};

export default {
  name: 'latency',
  title: 'query round trips, idle and under a burst',
  async run(level) {
    const { rounds, pings, bursts, count } = LEVELS[level];
    const server = await startServer({ tls: true });
    try {
      const settings = { pings, bursts, burst: { stanza: 'message', perMessage: 1, count }, intervalMs: INTERVAL_MS };
      const { js, native } = await alternate(['js', 'native'], rounds, backend =>
        runClient('latency.mjs', settings, { backend, server })
      );
      const of = (name, share) => {
        const figures = runs => runs.map(run => percentile(run[name], share));
        return compare(figures(js), figures(native), 'less');
      };
      const distributions = name => ({ js: distribution(js, name), native: distribution(native, name) });
      return {
        count,
        intervalMs: INTERVAL_MS,
        idle: { p50: of('idle', 0.5), p99: of('idle', 0.99), distribution: distributions('idle') },
        burst: { p50: of('burst', 0.5), p99: of('burst', 0.99), distribution: distributions('burst') }
      };
    } finally {
      await server.stop();
    }
  }
};
