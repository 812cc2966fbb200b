// NativeSession compared with an unmodified `makeSocket` that has one listener for the flooded stanza.

import { alternate, runClient, startServer } from '../lib/process.mjs';
import { compare, percentile } from '../lib/statistics.mjs';

/**
 * The numbers of stanzas are chosen so that floods take about the same time on both sides. There are fewer bots than
 * sessions, because it takes a minute to log in a thousand bots.
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

/** The number of connections that are not counted: they use the memory that all share. */
const BASE = 20;

const floods = count =>
  ['ack', 'message'].flatMap(stanza =>
    [1, 10].flatMap(perMessage => [true, false].map(asked => ({ stanza, perMessage, asked, count })))
  );

const BAILEYS = { backend: 'js', layer: 'socket' };
const DROP_IN = { backend: 'native', layer: 'socket' };
const SESSION = { backend: 'native', layer: 'session' };

/** Runs a child with one of the three clients. A session runs without register. */
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

/** Round trips on idle connections: `js` in the result is the drop-in, `native` is the session. */
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
