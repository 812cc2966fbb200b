// Sessions in threads that are terminated during a flood, one after another.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { printJson } from './client.mjs';

const ROUNDS = 4;

for (let round = 0; round < ROUNDS; round++) {
  const worker = new Worker(new URL('worker-session.mjs', import.meta.url), { workerData: { device: 0 } });
  const [{ isNative, received }] = await once(worker, 'message');
  const code = await worker.terminate();
  printJson({ isNative, received, code });
}
