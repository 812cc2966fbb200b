// Three sessions at the same time: in this thread, in a thread that ends itself, and in a thread that is terminated.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { ping } from '../../support/baileys-client.mjs';
import { floodOf, isNative, logIn, printJson } from './client.mjs';

const workers = [1, 2].map(
  device => new Worker(new URL('worker-session.mjs', import.meta.url), { workerData: { device } })
);
const messages = workers.map(worker => once(worker, 'message'));
const sock = await logIn(0);
await floodOf(sock, 100);
const received = (await Promise.all(messages)).map(([message]) => message);
const ended = once(workers[0], 'exit');
workers[0].postMessage('end');
const codes = [(await ended)[0], await workers[1].terminate()];
await ping(sock);
await sock.end(undefined);
printJson({ isNative, received, codes });
