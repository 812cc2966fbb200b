// Answers each text message with the same text. Start: node --import baileys-native/register examples/echo-bot/bot.mjs

import * as baileys from 'baileys';
import { replaced } from 'baileys-native';
import pino from 'pino';
import { afterClose } from '../after-close.cjs';
import { serverOptions } from '../server.cjs';
import { showQr } from '../show-qr.cjs';

const { makeWASocket, useMultiFileAuthState } = baileys;
const { state, saveCreds } = await useMultiFileAuthState(process.env.AUTH_DIR ?? 'auth');
const server = await serverOptions(baileys);
console.log(replaced().length > 0 ? 'running natively' : 'running on JavaScript');

function start() {
  const sock = makeWASocket({ auth: state, logger: pino({ level: 'error' }), ...server });
  sock.ev.on('creds.update', saveCreds);
  sock.ev.on('connection.update', ({ connection, lastDisconnect, qr }) => {
    if (qr) showQr(qr);
    if (connection === 'open') console.log(`logged in as ${sock.user?.id}`);
    if (connection !== 'close') return;
    const { stop, delayMs } = afterClose(baileys, lastDisconnect?.error);
    if (stop) console.log(stop);
    else setTimeout(start, delayMs);
  });
  sock.ev.on('messages.upsert', async ({ type, messages }) => {
    if (type !== 'notify') return;
    for (const { key, message } of messages) {
      const text = message?.conversation ?? message?.extendedTextMessage?.text;
      if (!text || key.fromMe) continue;
      try {
        await sock.sendMessage(key.remoteJid, { text: `You said: ${text}` });
      } catch (error) {
        console.error('the answer was not sent:', error);
      }
    }
  });
}

start();
