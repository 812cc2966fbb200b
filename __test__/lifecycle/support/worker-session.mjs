// A session in a thread: reports a hundred stanzas, and runs until it is terminated or gets a message to end.
import { parentPort, workerData } from 'node:worker_threads';
import { floodOf, isNative, logIn } from './client.mjs';

const sock = await logIn(workerData.device);
await floodOf(sock, 100);
parentPort.postMessage({ isNative, received: 100 });
parentPort.once('message', () => sock.end(undefined));
