// A WebSocket server that keeps the I/O thread of a client busy.

import { once } from 'node:events';
import { WebSocketServer } from 'ws';
import { releaseAfter } from './resources.mjs';

/** Many short messages: the addon reads them faster than JavaScript takes them. */
const FLOOD = Buffer.concat(Array(100_000).fill(Buffer.from([0x82, 2, 0, 0])));

/** Sends a flood to the client of a connection of `ws`. */
export function flood(socket) {
  socket.on('error', () => {}); // the client ends without reading everything
  socket._socket.write(FLOOD);
}

/**
 * Starts a server that sends a flood to each client. At the first message the client's I/O thread is still reading the
 * other ones. Resolves with the URL.
 */
export async function startFloodServer(t) {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  server.on('connection', flood);
  await once(server, 'listening');
  releaseAfter(t, () => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  return `ws://127.0.0.1:${server.address().port}/`;
}
