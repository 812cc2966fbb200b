// Floods into a growing number of bots in one process at the same time. The total number of stanzas is always the same.

import { alternate, runClient, startServer } from '../lib/process.mjs';
import { compare } from '../lib/statistics.mjs';

const LEVELS = {
  full: { rounds: 1, bots: [1, 4, 16, 64], count: 40_960 },
  quick: { rounds: 1, bots: [1, 8, 32], count: 8_192 }
};

export default {
  name: 'spread',
  title: 'stanzas per second over the number of connections',
  async run(level) {
    const { rounds, bots, count } = LEVELS[level];
    const { js, native } = await alternate(['js', 'native'], rounds, async backend => {
      const server = await startServer({ tls: true });
      try {
        return await runClient('spread.mjs', { bots, count, stanza: 'message' }, { backend, server });
      } finally {
        await server.stop();
      }
    });
    const points = bots.map((connections, index) => {
      const figures = (runs, name) => runs.map(({ results }) => results[index][name]);
      const of = (name, better) => compare(figures(js, name), figures(native, name), better);
      return { connections, perSecond: of('perSecond', 'more'), cpuUs: of('cpuUs', 'less') };
    });
    return { count, points };
  }
};
