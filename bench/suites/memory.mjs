// Memory of a process that has only loaded Baileys. Memory of idle TLS connections: of clients that are only a WebSocket
// (bare), of bots, and of bare clients after each has received a large message.

import { alternate, runClient, startServer } from '../lib/process.mjs';
import { compare } from '../lib/statistics.mjs';

/**
 * `base`: connections that are not counted. They use memory that all connections share, and memory that is free at the
 * start.
 */
const LEVELS = {
  full: { starts: 5, bare: { rounds: 2, base: 250, count: 1000 }, bots: { rounds: 1, base: 20, count: 1000 } },
  quick: { starts: 3, bare: { rounds: 1, base: 50, count: 200 }, bots: { rounds: 1, base: 20, count: 60 } }
};

/** The length of the encoded stanza `group1024`. */
const LARGE_BYTES = 41_189;

/** The bot keeps one key of every 32nd stanza. The stanzas between two such keys fill more than one slab (32 KB). */
const KEPT = { stanza: 'preKeys10', tag: 'identity', every: 32, count: 8192 };

async function measureKept() {
  const server = await startServer({ tls: true });
  try {
    const runs = await alternate(['js', 'native'], 2, backend => runClient('kept.mjs', KEPT, { backend, server }));
    const figures = side => runs[side].map(run => Math.max(run.bytesEach, 1));
    return { ...KEPT, length: runs.js[0].length, bytes: compare(figures('js'), figures('native'), 'less') };
  } finally {
    await server.stop();
  }
}

/** A module hook that does nothing. Before Node.js 22.15, register needs such a hook. */
const EMPTY_HOOK = `data:text/javascript,${encodeURIComponent(
  "import { register } from 'node:module'; register('data:text/javascript,export const initialize = () => {};');"
)}`;

/** Processes that have loaded Baileys and have no connection: without register, with it, and with an empty hook. */
async function measureStart(rounds) {
  const server = await startServer({ tls: true });
  try {
    const runs = await alternate(['js', 'native', 'hook'], rounds, side => {
      const flags = side === 'hook' ? ['--import', EMPTY_HOOK] : [];
      return runClient('start.mjs', {}, { backend: side === 'native' ? 'native' : 'js', server, flags });
    });
    const figures = side => runs[side].map(({ rss }) => rss);
    return {
      native: compare(figures('js'), figures('native'), 'less'),
      hook: compare(figures('js'), figures('hook'), 'less')
    };
  } finally {
    await server.stop();
  }
}

async function measure({ rounds, base, count }, settings) {
  return alternate(['js', 'native'], rounds, async backend => {
    // Each side gets a new server.
    const server = await startServer({ tls: true });
    try {
      const register = settings.layer === 'bots';
      const run = { ...settings, base, steps: [count] };
      return await runClient('connections.mjs', run, { backend, server, register });
    } finally {
      await server.stop();
    }
  });
}

export default {
  name: 'memory',
  title: 'memory of idle TLS connections',
  async run(level) {
    const { starts, bare, bots } = LEVELS[level];
    const bareRuns = await measure(bare, { layer: 'bare', messageBytes: LARGE_BYTES });
    const botRuns = await measure(bots, { layer: 'bots' });
    const of = ({ js, native }, figure) => compare(js.map(figure), native.map(figure), 'less');
    return {
      connections: { bare: bare.count, bots: bots.count },
      base: { bare: bare.base, bots: bots.base },
      messageBytes: LARGE_BYTES,
      keptBuffer: await measureKept(),
      start: await measureStart(starts),
      bare: of(bareRuns, run => run.steps[0].rssEach),
      bots: of(botRuns, run => run.steps[0].rssEach),
      kept: of(bareRuns, run => run.message.keptEach),
      grown: of(bareRuns, run => Math.max(run.message.grownEach, 1)),
      loginCpuUs: of(botRuns, run => run.steps[0].connectCpuUs)
    };
  }
};
