// Floods into a growing number of bots in one process at the same time. The total number of stanzas is always the same.

import { runClient, takeTurns } from '../lib/process.mjs';
import { compare } from '../lib/statistics.mjs';

/** `count`: the stanzas of a flood into Baileys; on the native side it has `nativeFactor` times as many. */
const LEVELS = {
  full: { turns: 6, bots: [1, 4, 16, 64], count: 10_240, nativeFactor: 4 },
  quick: { turns: 2, bots: [1, 8, 32], count: 4_096, nativeFactor: 4 }
};

export default {
  name: 'spread',
  title: 'stanzas per second over the number of connections',
  async run(level) {
    const { turns, bots, count, nativeFactor } = LEVELS[level];
    const { js, native } = await takeTurns(['js', 'native'], { rounds: 1, tls: true }, (backend, options) => {
      const settings = { turns, bots, count: backend === 'js' ? count : count * nativeFactor, stanza: 'message' };
      return runClient('spread.mjs', settings, { backend, ...options });
    });
    const points = bots.map((connections, index) => {
      const figures = (runs, name) => runs.flatMap(({ results }) => results[index].costs.map(cost => cost[name]));
      const of = (name, better) => compare(figures(js, name), figures(native, name), better);
      return { connections, perSecond: of('perSecond', 'more'), cpuUs: of('cpuUs', 'less') };
    });
    return { count, nativeFactor, points };
  }
};
