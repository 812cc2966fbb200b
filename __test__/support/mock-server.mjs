// Starts mock servers that are stopped with their test.

import { MockServer } from 'baileys-native/testing';
import { releaseAfter } from './resources.mjs';
import { EVENT_TIMEOUT_MS } from './until.mjs';

/** Methods with the option `timeoutMs`. Its default is too short for tests on a busy machine. */
const WAITING = /** @type {const} */ (['waitFor', 'scanQr', 'enterPairingCode']);

/**
 * Stopping the server also ends its connections, so that its clients do not keep the process of the test alive.
 *
 * @param {import('./resources.mjs').Owner} owner
 * @param {Parameters<typeof MockServer.start>[0]} [options]
 */
export async function startMockServer(owner, options) {
  const server = await MockServer.start(options);
  releaseAfter(owner, () => server.stop());
  for (const name of WAITING) {
    const method = server[name];
    server[name] = (what, options) => method.call(server, what, { timeoutMs: EVENT_TIMEOUT_MS, ...options });
  }
  return server;
}
