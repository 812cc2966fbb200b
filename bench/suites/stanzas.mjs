// Floods into an unmodified `makeSocket`: stanzas per second and CPU time per stanza.

import { SMALL_ENTRIES } from '../lib/corpus.mjs';
import { runClient, startServer, takeTurns } from '../lib/process.mjs';
import { compare, summarize } from '../lib/statistics.mjs';

/**
 * `turns`: the number of floods for each kind of stanza in a round. `count`: the stanzas of a flood into Baileys; a flood
 * on the native side has `nativeFactor` times as many, so that it is not too short.
 */
const LEVELS = {
  full: { rounds: 2, turns: 6, count: 8_000, nativeFactor: 4, warmUp: 10_000 },
  quick: { rounds: 1, turns: 3, count: 2_000, nativeFactor: 4, warmUp: 3_000 }
};

const FLOODS = { stanzas: SMALL_ENTRIES, perMessage: [1, 10] };

/** The stanzas per second that the server can send. */
async function measureServer(tls, count) {
  const server = await startServer({ tls });
  try {
    const { results } = await runClient('sink.mjs', { ...FLOODS, count }, { backend: 'js', server });
    return results;
  } finally {
    await server.stop();
  }
}

async function overProtocol(protocol, { rounds, turns, count, nativeFactor, warmUp }) {
  const tls = protocol === 'wss';
  const limits = await measureServer(tls, count * nativeFactor);
  const { js, native } = await takeTurns(['js', 'native'], { rounds, tls }, (backend, options) => {
    const settings = { ...FLOODS, turns, count: backend === 'js' ? count : count * nativeFactor, warmUp };
    return runClient('stanzas.mjs', settings, { backend, ...options });
  });
  return limits.map(({ stanza, perMessage, perSecond }, index) => {
    const figures = (runs, name) => runs.flatMap(({ results }) => results[index].costs.map(cost => cost[name]));
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
}

export default {
  name: 'stanzas',
  title: 'stanzas into makeSocket under register',
  async run(level) {
    const cells = [...(await overProtocol('ws', LEVELS[level])), ...(await overProtocol('wss', LEVELS[level]))];
    // The server must be faster than the measured clients.
    const headroom = cells.map(({ server, perSecond }) => server / perSecond.native.median);
    const { count, nativeFactor } = LEVELS[level];
    return { count, nativeFactor, cells, headroom: { least: Math.min(...headroom), ...summarize(headroom) } };
  }
};
