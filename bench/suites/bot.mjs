// Whole bots: two unmodified `makeWASocket` exchange encrypted texts through the mock server. One of them is measured.
// The other runs in the server's process on JavaScript.

import { partTimes } from '../lib/profile.mjs';
import { alternate, runClient, startServer } from '../lib/process.mjs';
import { compare } from '../lib/statistics.mjs';

/** `waves`: ten texts at once, in each direction. `turns`: one text out, then one in. */
const LEVELS = {
  full: { rounds: 4, waves: 60, turns: 100, warmUp: 20 },
  quick: { rounds: 1, waves: 10, turns: 15, warmUp: 3 }
};

const TEXTS_IN_WAVE = 10;

export default {
  name: 'bot',
  title: 'whole bots that exchange texts',
  async run(level) {
    const { rounds, ...settings } = LEVELS[level];
    const server = await startServer({ tls: true });
    try {
      const run = (backend, profile) => runClient('bot.mjs', { ...settings, profile }, { backend, server });
      const { js, native } = await alternate(['js', 'native'], rounds, backend => run(backend, false));
      const of = figure => compare(js.map(figure), native.map(figure), 'less');
      const costs = name => ({
        cpuUs: of(result => result[name].cpuUs),
        threadUs: of(result => result[name].threadUs),
        ms: of(result => result[name].ms)
      });
      const parts = {};
      const texts = settings.waves * TEXTS_IN_WAVE;
      for (const backend of ['js', 'native']) {
        const { profiles } = await run(backend, true);
        parts[backend] = Object.fromEntries(
          Object.entries(profiles).map(([direction, profile]) => {
            const each = Object.entries(partTimes([profile])).map(([name, us]) => [name, us / texts]);
            return [direction, Object.fromEntries(each)];
          })
        );
      }
      return {
        texts,
        turns: settings.turns,
        in: costs('in'),
        out: costs('out'),
        alternate: costs('alternate'),
        delayMs: { in: of(({ delays }) => delays.in), out: of(({ delays }) => delays.out) },
        rss: of(({ rss }) => rss),
        peakRss: of(({ peakRss }) => peakRss),
        parts
      };
    } finally {
      await server.stop();
    }
  }
};
