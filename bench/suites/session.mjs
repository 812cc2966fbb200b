// NativeSession compared with an unmodified `makeSocket` that has one listener for the flooded stanza.

import { alternate, runClient, startServer, takeTurns } from '../lib/process.mjs';
import { compare, percentile } from '../lib/statistics.mjs';

/**
 * `turns`: the number of floods of each kind in a round. `counts`: the stanzas of a flood; the numbers are chosen so that
 * floods take about the same time on both sides. `pings`: round trips in a turn. There are fewer bots than sessions,
 * because it takes a minute to log in a thousand bots.
 */
const LEVELS = {
  full: {
    rounds: 2,
    turns: 5,
    counts: { js: 12_000, native: 120_000 },
    warmUp: 20_000,
    pings: 200,
    connections: { js: 250, native: 1000 }
  },
  quick: {
    rounds: 1,
    turns: 2,
    counts: { js: 3_000, native: 30_000 },
    warmUp: 3_000,
    pings: 50,
    connections: { js: 60, native: 60 }
  }
};

/** The number of connections that are not counted: they use the memory that all share. */
const BASE = 20;

const floods = count =>
  ['ack', 'message'].flatMap(stanza =>
    [1, 10].flatMap(perMessage => [true, false].map(asked => ({ stanza, perMessage, asked, count })))
  );

/** @typedef {{ backend: 'js' | 'native', layer: 'socket' | 'session' }} MeasuredClient */

/** @type {MeasuredClient} */
const BAILEYS = { backend: 'js', layer: 'socket' };
/** @type {MeasuredClient} */
const DROP_IN = { backend: 'native', layer: 'socket' };
/** @type {MeasuredClient} */
const SESSION = { backend: 'native', layer: 'session' };

/**
 * Runs the clients in turn; a session runs without register.
 *
 * @param {Record<string, MeasuredClient>} clients
 * @param {number} rounds
 * @param {(name: string) => object} settingsOf
 */
const measureClients = (clients, rounds, settingsOf) =>
  takeTurns(Object.keys(clients), { rounds, tls: true }, (name, options) => {
    const { backend, layer } = clients[name];
    const settings = { ...settingsOf(name), layer };
    return runClient('session.mjs', settings, { backend, register: layer === 'socket', ...options });
  });

async function measureFloods({ rounds, turns, counts, warmUp }) {
  const { js, native } = await measureClients({ js: BAILEYS, native: SESSION }, rounds, side => ({
    floods: floods(counts[side]),
    warmUp,
    turns
  }));
  return floods().map(({ stanza, perMessage, asked }, index) => {
    const figures = (runs, name) => runs.flatMap(({ results }) => results[index].map(cost => cost[name]));
    const of = (name, better) => compare(figures(js, name), figures(native, name), better);
    const costs = {
      perSecond: of('perSecond', 'more'),
      cpuUs: of('cpuUs', 'less'),
      threadUs: of('threadUs', 'less')
    };
    return { stanza, perMessage, asked, ...costs };
  });
}

/** Round trips on idle connections: `js` in the result is the drop-in, `native` is the session. */
async function measurePings({ rounds, turns, pings }) {
  const clients = { dropIn: DROP_IN, session: SESSION };
  const { dropIn, session } = await measureClients(clients, rounds, () => ({ turns, pings }));
  const of = share => {
    const figures = runs => runs.flatMap(run => run.pings.map(times => percentile(times, share)));
    return compare(figures(dropIn), figures(session), 'less');
  };
  return { p50: of(0.5), p99: of(0.99) };
}

/**
 * V8's young generation has a fixed size. Otherwise its changes of size would be larger than the memory of a thousand
 * connections.
 */
const FIXED_HEAP = ['--max-semi-space-size=2'];

async function measureMemory({ connections }) {
  const { js, native } = await alternate(['js', 'native'], 1, async side => {
    // Each side gets a new server.
    const server = await startServer({ tls: true });
    try {
      const settings = { base: BASE, steps: [connections[side]], layer: side === 'js' ? 'bots' : 'sessions' };
      const child = { backend: side, server, register: false, flags: FIXED_HEAP };
      return await runClient('connections.mjs', settings, child);
    } finally {
      await server.stop();
    }
  });
  const of = figure => compare(js.map(figure), native.map(figure), 'less');
  return { rss: of(run => run.steps[0].rssEach), loginCpuUs: of(run => run.steps[0].connectCpuUs) };
}

export default {
  name: 'session',
  title: 'NativeSession against makeSocket with one listener',
  async run(level) {
    const settings = LEVELS[level];
    const cells = await measureFloods(settings);
    const rtt = await measurePings(settings);
    const memory = await measureMemory(settings);
    return { counts: settings.counts, connections: settings.connections, cells, rtt, memory };
  }
};
