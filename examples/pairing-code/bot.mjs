// Links a device by a code that is typed on the phone, instead of a QR code. Start:
// PHONE=15551234567 node --import baileys-native/register examples/pairing-code/bot.mjs

import * as baileys from 'baileys';
import pino from 'pino';
import { afterClose } from '../after-close.cjs';
import { serverOptions } from '../server.cjs';

const { Browsers, makeWASocket, useMultiFileAuthState } = baileys;
const phone = process.env.PHONE?.replace(/\D/g, '');
if (!phone) throw new Error('PHONE is the number of the account, with its country code');
const { state, saveCreds } = await useMultiFileAuthState(process.env.AUTH_DIR ?? 'auth');
const server = await serverOptions(baileys);

function start() {
  // WhatsApp accepts pairing codes only from browsers that it knows.
  const browser = Browsers.ubuntu('Chrome');
  const sock = makeWASocket({ auth: state, browser, logger: pino({ level: 'error' }), ...server });
  let asked = false;
  sock.ev.on('creds.update', saveCreds);
  sock.ev.on('connection.update', async ({ connection, lastDisconnect, qr }) => {
    // The first QR code means that the server is ready to link a device.
    if (qr && !asked) {
      asked = true;
      try {
        console.log(`CODE ${await sock.requestPairingCode(phone)}`);
        console.log('On the phone: Settings, Linked devices, Link a device, Link with phone number instead.');
      } catch (error) {
        console.error('no pairing code:', error);
        asked = false;
      }
    }
    if (connection === 'open') console.log(`logged in as ${sock.user?.id}`);
    if (connection !== 'close') return;
    const { stop, delayMs } = afterClose(baileys, lastDisconnect?.error);
    if (stop) console.log(stop);
    else setTimeout(start, delayMs);
  });
}

start();
