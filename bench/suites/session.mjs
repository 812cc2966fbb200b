// NativeSession against an unmodified `makeSocket` that has one listener for the flooded stanza.

import { alternate, runClient, startServer } from '../lib/process.mjs';
import { compare, percentile } from '../lib/statistics.mjs';

/**
 * Floods that last about as long on either side, so that their beginning weighs the same; and as many bots as tell what one
 * takes, since a thousand take a minute.
 */
const LEVELS = {
  full: {
    rounds: 3,
    counts: { js: 60_000, native: 600_000 },
    warmUp: 20_000,
    pings: 1000,
    connections: { js: 250, native: 1000 }
  },
  quick: {
    rounds: 1,
    counts: { js: 10_000, native: 100_000 },
    warmUp: 3_000,
    pings: 100,
    connections: { js: 60, native: 60 }
  }
};

/** Connections that pay for what all connections of a process share, and are not counted. */
const BASE = 20;

const floods = count =>
  ['ack', 'message'].flatMap(stanza =>
    [1, 10].flatMap(perMessage => [true, false].map(asked => ({ stanza, perMessage, asked, count })))
  );

const BAILEYS = { backend: 'js', layer: 'socket' };
const DROP_IN = { backend: 'native', layer: 'socket' };
const SESSION = { backend: 'native', layer: 'session' };

/** A child that is one of the three; a session comes without register. */
const run = (script, settings, { backend, layer }, server) =>
  runClient(script, { ...settings, layer }, { backend, server, register: layer === 'socket' });

async function measureFloods({ rounds, counts, warmUp }) {
  const server = await startServer({ tls: true });
  try {
    const { js, native } = await alternate(['js', 'native'], rounds, side =>
      run('session.mjs', { floods: floods(counts[side]), warmUp }, side === 'js' ? BAILEYS : SESSION, server)
    );
    return floods().map(({ stanza, perMessage, asked }, index) => {
      const figures = (runs, name) => runs.map(({ results }) => results[index][name]);
      const of = (name, better) => compare(figures(js, name), figures(native, name), better);
      const costs = {
        perSecond: of('perSecond', 'more'),
        cpuUs: of('cpuUs', 'less'),
        threadUs: of('threadUs', 'less')
      };
      return { stanza, perMessage, asked, ...costs };
    });
  } finally {
    await server.stop();
  }
}

/** Idle round trips of the drop-in and of the session, in the places of `js` and `native`. */
async function measurePings({ rounds, pings }) {
  const server = await startServer({ tls: true });
  try {
    const sides = { dropIn: DROP_IN, session: SESSION };
    const { dropIn, session } = await alternate(['dropIn', 'session'], rounds, side =>
      run('session.mjs', { pings }, sides[side], server)
    );
    const of = share => {
      const figures = runs => runs.map(run => percentile(run.pings, share));
      return compare(figures(dropIn), figures(session), 'less');
    };
    return { p50: of(0.5), p99: of(0.99) };
  } finally {
    await server.stop();
  }
}

/** V8's young generation at a fixed size: growing and shrinking it would hide what a thousand connections take. */
const FIXED_HEAP = ['--max-semi-space-size=2'];

async function measureMemory({ connections }) {
  const { js, native } = await alternate(['js', 'native'], 1, async side => {
    // Both meet a server that nobody has used before.
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
