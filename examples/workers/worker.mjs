// The sessions of one worker thread.

import { parentPort, workerData } from 'node:worker_threads';
import * as baileys from 'baileys';
import { replaced } from 'baileys-native';
import pino from 'pino';
import { afterClose } from '../after-close.cjs';
import { serverOptions } from '../server.cjs';

const { makeWASocket, useMultiFileAuthState } = baileys;
const server = await serverOptions(baileys);
const layer = replaced().length > 0 ? 'natively' : 'on JavaScript';

async function start(folder) {
  const { state, saveCreds } = await useMultiFileAuthState(folder);
  const sock = makeWASocket({ auth: state, logger: pino({ level: 'error' }), ...server });
  sock.ev.on('creds.update', saveCreds);
  sock.ev.on('connection.update', ({ connection, lastDisconnect }) => {
    if (connection === 'open') parentPort.postMessage(`${sock.user?.id} runs ${layer}`);
    if (connection !== 'close') return;
    const { stop, delayMs } = afterClose(baileys, lastDisconnect?.error);
    if (stop) parentPort.postMessage(`${folder}: ${stop}`);
    else setTimeout(start, delayMs, folder);
  });
}

for (const folder of workerData.folders) await start(folder);
