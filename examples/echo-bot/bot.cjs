'use strict';

// The echo bot as CommonJS. Start: node --import baileys-native/register examples/echo-bot/bot.cjs
// Baileys 6.7 and 7 are ES modules. CommonJS loads them by import().

const pino = require('pino');
const { replaced } = require('baileys-native');
const { afterClose } = require('../after-close.cjs');
const { serverOptions } = require('../server.cjs');
const { showQr } = require('../show-qr.cjs');

async function main() {
  const baileys = await import('baileys');
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
}

main().catch(error => {
  console.error(error);
  process.exitCode = 1;
});
