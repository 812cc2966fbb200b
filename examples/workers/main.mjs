// Many sessions in worker threads. Each folder in SESSIONS_DIR has the credentials of one session. Each worker gets an
// equal share of the folders. Workers have the flags of the process, so register is active in them too. Start:
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
if (names.length === 0) throw new Error(`there are no folders in ${directory}`);
const wanted = Number(process.env.WORKERS ?? availableParallelism());
if (!Number.isSafeInteger(wanted) || wanted < 1) throw new Error('WORKERS must be a whole number from 1');
const count = Math.min(wanted, names.length);

for (let index = 0; index < count; index++) {
  const folders = names.filter((_, i) => i % count === index).map(name => join(directory, name));
  const worker = new Worker(new URL('worker.mjs', import.meta.url), { workerData: { folders } });
  worker.on('message', text => console.log(`worker ${index + 1}: ${text}`));
  worker.on('error', error => {
    console.error(`worker ${index + 1} has failed:`, error);
    process.exitCode = 1;
  });
}

// The metrics of the main thread include those of all workers.
setInterval(() => console.log(`${metrics().sockets.open} sockets are open`), 60_000).unref();
