// Several sessions, each with its own proxy. PROXIES has the URLs of the proxies, separated by spaces. The credentials
// of the sessions are in the folders auth/1, auth/2 and so on. Start:
// PROXIES="http://user:pass@proxy-1:3128 socks5://proxy-2:1080" \
//   node --import baileys-native/register examples/proxies/bots.mjs

import { join } from 'node:path';
import * as baileys from 'baileys';
import { HttpsProxyAgent } from 'https-proxy-agent';
import pino from 'pino';
import { SocksProxyAgent } from 'socks-proxy-agent';
import { afterClose } from '../after-close.cjs';
import { serverOptions } from '../server.cjs';
import { showQr } from '../show-qr.cjs';

const { makeWASocket, useMultiFileAuthState } = baileys;
const proxies = process.env.PROXIES?.split(' ').filter(Boolean) ?? [];
if (proxies.length === 0) throw new Error('set PROXIES to the URLs of the proxies, separated by spaces');
const server = await serverOptions(baileys);

async function start(name, proxy) {
  const { state, saveCreds } = await useMultiFileAuthState(join(process.env.AUTH_DIR ?? 'auth', name));
  // The socket always uses the proxy of `agent`. Uploads and downloads of media use `fetchAgent`.
  const agent = proxy.startsWith('socks') ? new SocksProxyAgent(proxy) : new HttpsProxyAgent(proxy);
  const sock = makeWASocket({ auth: state, agent, fetchAgent: agent, logger: pino({ level: 'error' }), ...server });
  sock.ev.on('creds.update', saveCreds);
  sock.ev.on('connection.update', ({ connection, lastDisconnect, qr }) => {
    if (qr) {
      console.log(`session ${name}`);
      showQr(qr);
    }
    if (connection === 'open') console.log(`session ${name}: logged in as ${sock.user?.id}`);
    if (connection !== 'close') return;
    const { stop, delayMs } = afterClose(baileys, lastDisconnect?.error);
    if (stop) console.log(`session ${name}: ${stop}`);
    else setTimeout(start, delayMs, name, proxy);
  });
}

await Promise.all(proxies.map((proxy, index) => start(String(index + 1), proxy)));
