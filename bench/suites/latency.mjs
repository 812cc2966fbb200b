// Round trips of a query, on an idle loop and while a burst of stanzas arrives.

import { runClient, takeTurns } from '../lib/process.mjs';
import { compare, percentile, quantile } from '../lib/statistics.mjs';

/** In each of `turns`: `pings` queries one after the other. In each of `bursts`: `count` stanzas. */
const LEVELS = {
  full: { rounds: 2, turns: 10, pings: 200, bursts: 4, count: 50_000 },
  quick: { rounds: 1, turns: 4, pings: 50, bursts: 2, count: 20_000 }
};

/** Time between two queries during a burst, in milliseconds. It is long enough that queries do not change the load. */
const INTERVAL_MS = 5;

const SHARES = Array.from({ length: 200 }, (_, index) => index / 199);

/** Quantiles over all rounds. */
const distribution = (runs, name) => {
  const all = runs.flatMap(run => run[name].flat());
  return { count: all.length, ms: SHARES.map(share => quantile(all, share)) };
};

export default {
  name: 'latency',
  title: 'query round trips, idle and under a burst',
  async run(level) {
    const { rounds, turns, pings, bursts, count } = LEVELS[level];
    const burst = { stanza: 'message', perMessage: 1, count };
    const settings = { turns, pings, bursts, burst, intervalMs: INTERVAL_MS };
    const { js, native } = await takeTurns(['js', 'native'], { rounds, tls: true }, (backend, options) =>
      runClient('latency.mjs', settings, { backend, ...options })
    );
    const of = (name, share) => {
      const figures = runs => runs.flatMap(run => run[name].map(times => percentile(times, share)));
      return compare(figures(js), figures(native), 'less');
    };
    const distributions = name => ({ js: distribution(js, name), native: distribution(native, name) });
    return {
      count,
      intervalMs: INTERVAL_MS,
      idle: { p50: of('idle', 0.5), p99: of('idle', 0.99), distribution: distributions('idle') },
      burst: { p50: of('burst', 0.5), p99: of('burst', 0.99), distribution: distributions('burst') }
    };
  }
};
