// A gateway on NativeSession: stanzas without Baileys' upper layers. It reconnects by itself, acknowledges messages,
// and serves metrics for Prometheus. Start: node examples/gateway/gateway.mjs

import { createServer } from 'node:http';
import { useMultiFileAuthState } from 'baileys';
import { NativeSession } from 'baileys-native';
import { collectMetrics } from 'baileys-native/prometheus';
import { register } from 'prom-client';
import { chosenServer } from '../server.cjs';
import { showQr } from '../show-qr.cjs';

const { state, saveCreds } = await useMultiFileAuthState(process.env.AUTH_DIR ?? 'auth');
// `resume`: a new connection to a known server logs in with its first message (Noise IK).
const session = new NativeSession({ auth: state, resume: true, ...(await chosenServer()) });

session.on('qr', showQr);
session.on('creds', saveCreds);
session.on('state', ({ to }) => console.log(`state ${to}`));
session.on('reconnecting', ({ attempt, at, reason }) =>
  console.log(`attempt ${attempt} in ${Math.max(0, at - Date.now())} ms, after: ${reason.message}`)
);
session.on('error', error => console.error(error.message));
session.on('close', ({ code, message }) => {
  console.log(`closed: ${message} (${code})`);
  http.close();
});

// The server sends a message again after the next login, until it is acknowledged.
session.onStanza('CB:message', ({ attrs: { id, from, participant } }) => {
  console.log(`message ${id} from ${from}`);
  const attrs = { class: 'message', id, to: from, ...(participant && { participant }) };
  session.sendNode({ tag: 'ack', attrs }).catch(error => console.error(`message ${id}: ${error.message}`));
});

collectMetrics({ register });
const http = createServer(async (request, response) => {
  if (request.url === '/metrics') {
    try {
      const text = await register.metrics();
      response.setHeader('Content-Type', register.contentType);
      response.end(text);
    } catch (error) {
      response.statusCode = 500;
      response.end(error.message);
    }
    return;
  }
  // For the health check of a container.
  response.statusCode = request.url === '/health' ? (session.state === 'connected' ? 200 : 503) : 404;
  response.end(`${session.state}\n`);
});
http.listen(Number(process.env.PORT ?? 9464), () => console.log(`metrics on port ${http.address().port}`));

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => session.close());
await session.connect().catch(error => console.error(error.message));
