// Opens argv[5] connections to the server argv[2]. If there is an argv[6], it then receives a message from this server,
// which can be argv[2]. Then it does the actions argv[3] in one turn of the event loop, for example `send, close at exit,
// exit`. `send` and `ping` send argv[4] messages on each connection.

import { once } from 'node:events';
import { readSync } from 'node:fs';
import { createRequire } from 'node:module';

const { WebSocketClient } = createRequire(import.meta.url)('../../js/index.cjs');

const [url, steps, count, connections, flood] = process.argv.slice(2);

/** @param {string} server */
function clientOf(server) {
  return new WebSocketClient(new URL(server), {
    connectTimeoutMs: 20_000,
    keepAliveIntervalMs: 30_000,
    fetchAgent: undefined,
    options: {}
  });
}

const clients = Array.from({ length: Number(connections) }, () => clientOf(url));

/** @param {(client: WebSocketClient, text: string) => void} act */
function forEachMessage(act) {
  for (let index = 0; index < Number(count); index++) for (const client of clients) act(client, `message ${index}`);
}

const actions = {
  send: () => forEachMessage((client, text) => client.send(text)),
  ping: () => forEachMessage((client, text) => client.socket.ping(text)),
  close: () => clients.forEach(client => client.close()),
  terminate: () => clients.forEach(client => client.socket.terminate()),
  exit: () => process.exit(0),
  throw() {
    throw new Error('deliberate');
  },
  /**
   * Blocks the thread until the standard input ends, then exits without running the event loop: only the I/O thread can
   * write the messages.
   */
  block() {
    while (readSync(0, Buffer.alloc(1)) > 0);
    process.reallyExit(0);
  }
};

await Promise.all(clients.map(client => (client.connect(), once(client, 'open'))));
if (flood !== undefined) {
  // At the first message the I/O thread is still reading the other ones.
  const reader = flood === url ? clients[0] : clientOf(flood);
  if (reader !== clients[0]) reader.connect();
  await once(reader, 'message');
}
for (const step of steps.split(', ')) {
  const [name, atExit] = step.split(' at ');
  // The addon has added its listener of `exit` before the first connection, so this one is called after it.
  if (atExit) process.on('exit', actions[name]);
  else actions[name]();
}
