// Sends argv[4] messages to the server argv[2] in one turn of the event loop, then does the action argv[3] in the same
// turn.

import { readSync } from 'node:fs';
import { createRequire } from 'node:module';

const { WebSocketClient } = createRequire(import.meta.url)('../../js/index.cjs');

const [url, way, count] = process.argv.slice(2);
const client = new WebSocketClient(new URL(url), {
  connectTimeoutMs: 20_000,
  keepAliveIntervalMs: 30_000,
  fetchAgent: undefined,
  options: {}
});

const after = {
  exit: () => process.exit(0),
  close: () => client.close(),
  terminate: () => client.socket.terminate(),
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

client.connect();
client.on('open', () => {
  for (let index = 0; index < Number(count); index++) client.send(`message ${index}`);
  after[way]();
});
