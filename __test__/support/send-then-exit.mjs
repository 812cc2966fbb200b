// Sends argv[4] messages on each of argv[5] connections to the server argv[2] in one turn of the event loop, then does the
// action argv[3] in the same turn. If there is an argv[6], it first receives a message from this server, which can be argv[2].

import { once } from 'node:events';
import { readSync } from 'node:fs';
import { createRequire } from 'node:module';

const { WebSocketClient } = createRequire(import.meta.url)('../../js/index.cjs');

const [url, way, count, connections, flood] = process.argv.slice(2);

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

const after = {
  exit: () => process.exit(0),
  close: () => clients.forEach(client => client.close()),
  'close, exit'() {
    after.close();
    process.exit(0);
  },
  'send at exit': () => process.exit(0),
  'close at exit'() {
    process.on('exit', after.close);
    process.exit(0);
  },
  terminate: () => clients.forEach(client => client.socket.terminate()),
  'close, terminate'() {
    after.close();
    after.terminate();
  },
  'terminate, exit'() {
    after.terminate();
    process.exit(0);
  },
  'ping, exit': () => process.exit(0),
  'ping at exit': () => process.exit(0),
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

function send() {
  for (let index = 0; index < Number(count); index++) {
    for (const client of clients) {
      if (way.startsWith('ping')) client.socket.ping(`message ${index}`);
      else client.send(`message ${index}`);
    }
  }
}

await Promise.all(clients.map(client => (client.connect(), once(client, 'open'))));
if (flood !== undefined) {
  // At the first message the I/O thread is still reading the other ones.
  const reader = flood === url ? clients[0] : clientOf(flood);
  if (reader !== clients[0]) reader.connect();
  await once(reader, 'message');
}
// The addon has added its listener of `exit` before the first connection, so those below are called after it.
if (way === 'send at exit' || way === 'ping at exit') process.on('exit', send);
else send();
after[way]();
