// Whole bots: two unmodified `makeWASocket` exchange encrypted texts through the mock server. One of them is measured.
// The other runs in the server's process on JavaScript.

import { partTimes } from '../lib/profile.mjs';
import { runClient, startServer, takeTurns } from '../lib/process.mjs';
import { compare } from '../lib/statistics.mjs';

/** In each turn: `waves` of ten texts in one direction, or `exchanges` of one text out and then one in. */
const LEVELS = {
  full: { rounds: 3, turns: 12, waves: 5, exchanges: 10, warmUp: 20 },
  quick: { rounds: 1, turns: 5, waves: 2, exchanges: 3, warmUp: 3 }
};

const TEXTS_IN_WAVE = 10;

/** The time of the JavaScript thread by part, in microseconds of one text. */
async function measureParts(backend, settings, texts) {
  const server = await startServer({ tls: true });
  try {
    const { profiles } = await runClient('bot.mjs', { ...settings, profile: true }, { backend, server });
    return Object.fromEntries(
      Object.entries(profiles).map(([direction, profile]) => {
        const each = Object.entries(partTimes([profile])).map(([name, us]) => [name, us / texts]);
        return [direction, Object.fromEntries(each)];
      })
    );
  } finally {
    await server.stop();
  }
}

export default {
  name: 'bot',
  title: 'whole bots that exchange texts',
  async run(level) {
    const { rounds, ...settings } = LEVELS[level];
    const texts = settings.turns * settings.waves * TEXTS_IN_WAVE;
    const { js, native } = await takeTurns(['js', 'native'], { rounds, tls: true }, (backend, options) =>
      runClient('bot.mjs', settings, { backend, ...options })
    );
    /** @param {(run: any) => number[]} figures Those of one process. */
    const of = figures => compare(js.flatMap(figures), native.flatMap(figures), 'less');
    const costs = name => ({
      cpuUs: of(run => run[name].map(({ cpuUs }) => cpuUs)),
      threadUs: of(run => run[name].map(({ threadUs }) => threadUs)),
      ms: of(run => run[name].map(({ ms }) => ms))
    });
    return {
      texts,
      turns: settings.turns * settings.exchanges,
      in: costs('in'),
      out: costs('out'),
      alternate: costs('alternate'),
      delayMs: { in: of(({ delays }) => delays.in), out: of(({ delays }) => delays.out) },
      rss: of(({ rss }) => [rss]),
      peakRss: of(({ peakRss }) => [peakRss]),
      parts: { js: await measureParts('js', settings, texts), native: await measureParts('native', settings, texts) }
    };
  }
};
