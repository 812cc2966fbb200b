// Runs one session of one release line of Baileys with its own mock server. Prints the results of both sides as JSON.
//
//     node [--import baileys-native/register] line-session.mjs <package> [--untrusted | --only-added]
//
// `--untrusted` adds no root key. `--only-added` does not change Baileys' own root key. With both the server is refused.

import { once } from 'node:events';
import { isActive } from 'baileys-native';
import { MockServer, addTrustedRoot, sampleStanzas, trustTestRoot } from 'baileys-native/testing';
import { isVersion7 } from '../../../scripts/shared/baileys.mjs';
import { login, openSocket, closed, pair, ping, recordingLogger } from '../../support/baileys-client.mjs';

const [line, ...flags] = process.argv.slice(2);
const FLOOD = 300;
const COMPRESSED = 20;
const SENDS = 100;

const namespace = await import(line);
const baileys = namespace.makeWASocket ? namespace : namespace.default;
const delay = isVersion7(line) ? {} : { greetingDelayMs: 250 };
const server = await MockServer.start({ baileys: line, preKeyCount: 100, ...delay });
if (flags.length === 0) trustTestRoot(baileys, server.rootKey);
if (!flags.includes('--untrusted')) addTrustedRoot(server.rootKey);

const logger = recordingLogger('warn');
const seen = [];
server.on('failure', error => seen.push(['failure', error.message]));
server.on('registered', device => seen.push(['registered', device.jid]));
server.on('login', connection => seen.push(['login', connection.device.jid]));

/** The compared parts of a stanza: without random ids, keys and times. */
const described = ({ direction, node }) => [direction, node.tag, node.attrs.xmlns ?? '', node.attrs.type ?? ''];

async function session() {
  const auth = await pair({ baileys, server, scan: qr => server.scanQr(qr, { jid: '15550001234', pushName: 'Ada' }) });
  const sock = await login({ baileys, server, auth, config: { logger } });
  const from = server.stanzas.length;

  // In: single stanzas, several in a message, and compressed ones, which Baileys' JavaScript may reorder unless each is
  // awaited.
  const received = [];
  sock.ws.on('CB:relay', node => received.push([node.attrs.id, node.content[0].content.length]));
  const [connection] = server.connections.slice(-1);
  await connection.prepareFlood(sampleStanzas.message, FLOOD).start();
  await connection.prepareFlood(sampleStanzas.message, FLOOD, { perMessage: 7 }).start();
  await ping(sock);
  for (let i = 0; i < COMPRESSED; i++) {
    const arrived = once(sock.ws, 'CB:relay');
    await connection.send(sampleStanzas.message(i), { compress: true });
    await arrived;
  }
  // Out: stanzas that are answered, and their answers in order.
  for (let i = 0; i < SENDS; i++) await sock.sendNode({ tag: 'presence', attrs: { type: 'available', n: String(i) } });
  for (let i = 0; i < 10; i++) await ping(sock);
  // The server sends a query, and Baileys answers it.
  const end = closed(sock);
  await connection.streamError(503);
  const error = await end;
  const sent = server.stanzas.slice(from).filter(({ direction }) => direction === 'in');
  return {
    me: auth.creds.me.id,
    received,
    presences: sent.filter(({ node }) => node.tag === 'presence' && node.attrs.n).map(({ node }) => node.attrs.n),
    traffic: sent.map(described),
    ending: error.output.statusCode
  };
}

async function refusal() {
  const error = await closed(openSocket({ baileys, server }));
  return { message: error.message, statusCode: error.output?.statusCode };
}

const result = flags.length > 0 ? await refusal() : await session();
await server.stop();
const native = baileys.makeNoiseHandler[Symbol.for('baileys-native')] === true;
console.log(
  JSON.stringify({
    active: isActive(),
    native,
    seen,
    warnings: logger.entries.map(({ message }) => message),
    ...result
  })
);
