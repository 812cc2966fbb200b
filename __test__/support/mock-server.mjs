// Starts mock servers that are stopped with their test.

import { MockServer } from 'baileys-native/testing';
import { releaseAfter } from './resources.mjs';

/**
 * Stopping the server also ends its connections, so that its clients do not keep the process of the test alive.
 *
 * @param {import('./resources.mjs').Owner} owner
 * @param {Parameters<typeof MockServer.start>[0]} [options]
 */
export async function startMockServer(owner, options) {
  const server = await MockServer.start(options);
  releaseAfter(owner, () => server.stop());
  return server;
}
