// Floods into an unmodified `makeSocket`: stanzas per second and CPU time per stanza.

import { SMALL_ENTRIES } from '../lib/corpus.mjs';
import { alternate, runClient, startServer } from '../lib/process.mjs';
import { compare, summarize } from '../lib/statistics.mjs';

const LEVELS = {
  full: { rounds: 3, count: 50_000, warmUp: 10_000 },
  quick: { rounds: 1, count: 8_000, warmUp: 3_000 }
};

const FLOODS = { stanzas: SMALL_ENTRIES, perMessage: [1, 10] };

async function overProtocol(protocol, { rounds, count, warmUp }) {
  const server = await startServer({ tls: protocol === 'wss' });
  try {
    const sink = await runClient('sink.mjs', { ...FLOODS, count }, { backend: 'js', server });
    const settings = { ...FLOODS, count, warmUp };
    const { js, native } = await alternate(['js', 'native'], rounds, backend =>
      runClient('stanzas.mjs', settings, { backend, server })
    );
    return sink.results.map(({ stanza, perMessage, perSecond }, index) => {
      const figures = (runs, name) => runs.map(({ results }) => results[index][name]);
      const of = (name, better) => compare(figures(js, name), figures(native, name), better);
      return {
        protocol,
        stanza,
        perMessage,
        server: perSecond,
        perSecond: of('perSecond', 'more'),
        cpuUs: of('cpuUs', 'less'),
        threadUs: of('threadUs', 'less')
      };
    });
  } finally {
    await server.stop();
  }
}

export default {
  name: 'stanzas',
  title: 'stanzas into makeSocket under register',
  async run(level) {
    const cells = [...(await overProtocol('ws', LEVELS[level])), ...(await overProtocol('wss', LEVELS[level]))];
    // The server must be faster than the measured clients.
    const headroom = cells.map(({ server, perSecond }) => server / perSecond.native.median);
    return { count: LEVELS[level].count, cells, headroom: { least: Math.min(...headroom), ...summarize(headroom) } };
  }
};
