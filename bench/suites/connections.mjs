// Many connections in one process: the cost of each as their number grows, and whether all of them answer a ping.

import { runClient, startServer } from '../lib/process.mjs';

const LEVELS = {
  full: { base: 64, steps: [500, 1000, 2000, 5000] },
  quick: { base: 20, steps: [100, 250, 500] }
};

const PING_WITHIN_MS = 10_000;

/**
 * The size of a message to each of the first connections. Afterwards, memory that was not used since the start is
 * freed.
 */
const SETTLE_BYTES = 41_189;

async function measure(backend, { base, steps }) {
  const server = await startServer({ tls: true });
  try {
    const settings = { layer: 'bare', base, steps, settleBytes: SETTLE_BYTES, pingWithinMs: PING_WITHIN_MS };
    return await runClient('connections.mjs', settings, { backend, server, register: false });
  } finally {
    await server.stop();
  }
}

export default {
  name: 'connections',
  title: 'thousands of TLS connections in one process',
  async run(level) {
    const js = await measure('js', LEVELS[level]);
    const native = await measure('native', LEVELS[level]);
    return { wanted: LEVELS[level].steps.at(-1), pingWithinMs: PING_WITHIN_MS, js, native };
  }
};
