// Stanzas sent by an unmodified `makeSocket`, with and without register, and by a NativeSession. The server only reads.

import { runClient, startServer, takeTurns } from '../lib/process.mjs';
import { compare, summarize } from '../lib/statistics.mjs';
import { countingEnvironment } from '../lib/writes.mjs';

/**
 * `counts`: the stanzas that Baileys sends in a turn. The others send `nativeFactor` times as many, so that their turns
 * are not too short. `warmUp`: the share of them that is sent before the first turn.
 */
const LEVELS = {
  full: {
    rounds: 2,
    turns: 4,
    sockets: [1, 100],
    counts: { ack: 2_000, message: 2_000, fanout256: 40 },
    nativeFactor: 8,
    warmUp: 0.5
  },
  quick: {
    rounds: 1,
    turns: 2,
    sockets: [1, 20],
    counts: { ack: 600, message: 600, fanout256: 12 },
    nativeFactor: 8,
    warmUp: 0.5
  }
};

/** @type {Record<string, { backend: 'js' | 'native', layer: 'socket' | 'session' }>} */
const CLIENTS = {
  js: { backend: 'js', layer: 'socket' },
  native: { backend: 'native', layer: 'socket' },
  session: { backend: 'native', layer: 'session' }
};

/** Multiplies the count of each kind of stanza. */
const multiplied = (counts, factor) =>
  Object.fromEntries(Object.entries(counts).map(([stanza, count]) => [stanza, count * factor]));

/** The stanzas per second that the server can read. */
async function measureServer(tls, counts) {
  const server = await startServer({ tls });
  try {
    const limit = await runClient('outbound-limit.mjs', { counts }, { backend: 'js', server, register: false });
    return limit.perSecond;
  } finally {
    await server.stop();
  }
}

async function overProtocol(protocol, level) {
  const { rounds, nativeFactor, ...settings } = level;
  const nativeCounts = multiplied(settings.counts, nativeFactor);
  const tls = protocol === 'wss';
  const limits = await measureServer(tls, nativeCounts);
  const runs = await takeTurns(Object.keys(CLIENTS), { rounds, tls }, (name, options) => {
    const { backend, layer } = CLIENTS[name];
    const environment = countingEnvironment();
    const client = { backend, register: layer === 'socket', environment, ...options };
    const counts = backend === 'js' ? settings.counts : nativeCounts;
    return runClient('outbound.mjs', { ...settings, counts, layer }, client);
  });
  return runs.js[0].results.map(({ sockets, stanza, pattern }, index) => {
    const figures = (name, figure) =>
      runs[name].flatMap(({ results }) => results[index].costs.map(cost => cost[figure]));
    const of = (name, figure, better) => compare(figures('js', figure), figures(name, figure), better);
    const side = name => ({
      perSecond: of(name, 'perSecond', 'more'),
      cpuUs: of(name, 'cpuUs', 'less'),
      threadUs: of(name, 'threadUs', 'less'),
      writes: summarize(figures(name, 'writes')),
      wakes: summarize(figures(name, 'wakes'))
    });
    return {
      protocol,
      sockets,
      stanza,
      pattern,
      sink: limits[stanza],
      jsWrites: summarize(figures('js', 'writes')),
      native: side('native'),
      session: side('session')
    };
  });
}

export default {
  name: 'outbound',
  title: 'stanzas out of makeSocket and NativeSession',
  async run(level) {
    const settings = LEVELS[level];
    const cells = [...(await overProtocol('ws', settings)), ...(await overProtocol('wss', settings))];
    const headroom = cells.map(({ sink, native, session }) => {
      return sink / Math.max(native.perSecond.native.median, session.perSecond.native.median);
    });
    return {
      counts: settings.counts,
      nativeFactor: settings.nativeFactor,
      cells,
      headroom: { least: Math.min(...headroom), ...summarize(headroom) }
    };
  }
};
