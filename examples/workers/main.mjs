// Many sessions in worker threads. Each folder in SESSIONS_DIR has the credentials of one session; the workers share them
// out. Flags of the process are flags of its workers, so register needs to be given once. Start:
// SESSIONS_DIR=sessions node --import baileys-native/register examples/workers/main.mjs

import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { metrics } from 'baileys-native';

const directory = process.env.SESSIONS_DIR ?? 'sessions';
const names = readdirSync(directory, { withFileTypes: true })
  .filter(entry => entry.isDirectory())
  .map(({ name }) => name);
const count = Math.min(Number(process.env.WORKERS ?? availableParallelism()), names.length);

for (let index = 0; index < count; index++) {
  const folders = names.filter((_, i) => i % count === index).map(name => join(directory, name));
  const worker = new Worker(new URL('worker.mjs', import.meta.url), { workerData: { folders } });
  worker.on('message', text => console.log(`worker ${index + 1}: ${text}`));
  worker.on('error', error => console.error(`worker ${index + 1} has failed:`, error));
}

// Counters cover all threads of the process.
setInterval(() => console.log(`${metrics().sockets.open} sockets are open`), 60_000);
