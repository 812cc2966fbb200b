// Stanzas sent by an unmodified `makeSocket`, with and without register, and by a NativeSession. The server only reads.

import { alternate, runClient, startServer } from '../lib/process.mjs';
import { compare, summarize } from '../lib/statistics.mjs';
import { countingEnvironment } from '../lib/writes.mjs';

/** `warmUp`: the share of the stanzas of a cell that is sent before the measurement. */
const LEVELS = {
  full: { rounds: 3, sockets: [1, 100], counts: { ack: 8_000, message: 8_000, fanout256: 160 }, warmUp: 0.2 },
  quick: { rounds: 1, sockets: [1, 20], counts: { ack: 3_000, message: 3_000, fanout256: 60 }, warmUp: 0.5 }
};

/** @type {Record<string, { backend: 'js' | 'native', layer: 'socket' | 'session' }>} */
const CLIENTS = {
  js: { backend: 'js', layer: 'socket' },
  native: { backend: 'native', layer: 'socket' },
  session: { backend: 'native', layer: 'session' }
};

async function overProtocol(protocol, { rounds, ...settings }) {
  const server = await startServer({ tls: protocol === 'wss' });
  try {
    const limit = await runClient('outbound-limit.mjs', settings, { backend: 'js', server, register: false });
    const runs = await alternate(Object.keys(CLIENTS), rounds, name => {
      const { backend, layer } = CLIENTS[name];
      const options = { backend, server, register: layer === 'socket', environment: countingEnvironment() };
      return runClient('outbound.mjs', { ...settings, layer }, options);
    });
    return runs.js[0].results.map(({ sockets, stanza, pattern }, index) => {
      const figures = (name, figure) => runs[name].map(({ results }) => results[index][figure]);
      const of = (name, figure, better) => compare(figures('js', figure), figures(name, figure), better);
      const side = name => ({
        perSecond: of(name, 'perSecond', 'more'),
        cpuUs: of(name, 'cpuUs', 'less'),
        threadUs: of(name, 'threadUs', 'less'),
        writes: summarize(figures(name, 'writes')),
        wakes: summarize(figures(name, 'wakes'))
      });
      const cell = { protocol, sockets, stanza, pattern, sink: limit.perSecond[stanza] };
      return {
        ...cell,
        jsWrites: summarize(figures('js', 'writes')),
        native: side('native'),
        session: side('session')
      };
    });
  } finally {
    await server.stop();
  }
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
    return { counts: settings.counts, cells, headroom: { least: Math.min(...headroom), ...summarize(headroom) } };
  }
};
