// A server of the package `ws` on loopback.

import { once } from 'node:events';
import { WebSocketServer } from 'ws';
import { releaseAfter } from './resources.mjs';

/**
 * Starts a server. It is closed with its owner, and its connections too.
 *
 * @param {import('./resources.mjs').Owner} owner
 */
export async function startWebSocketServer(owner) {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  releaseAfter(owner, () => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  server.on('connection', socket => socket.on('error', () => {}));
  await once(server, 'listening');
  return server;
}
