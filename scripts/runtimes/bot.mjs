/**
 * A bot for Bun, Deno or Node under register: it pairs, logs in and exchanges stanzas. It exchanges JSON lines with
 * scripts/test-runtimes.mjs, which runs the server.
 *
 *     bot.mjs <package of Baileys> <JSON: url, ca, rootKey>
 */

import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { replaced } from 'baileys-native';
import { addTrustedRoot, trustTestRoot } from 'baileys-native/testing';

const [name, support, serverText] = process.argv.slice(2);
const { login, pair, ping } = await import(support);
const { url, ca, rootKey } = JSON.parse(serverText);

/**
 * @param {string} event
 * @param {unknown} value
 */
const report = (event, value) => process.stdout.write(`${JSON.stringify({ event, value })}\n`);
const lines = createInterface({ input: process.stdin });

/**
 * Sends an event to the parent and waits for its answer.
 *
 * @param {string} event
 * @param {unknown} value
 */
async function ask(event, value) {
  const answer = once(lines, 'line');
  report(event, value);
  return JSON.parse(String((await answer)[0]));
}

const namespace = await import(name);
const baileys = namespace.makeWASocket ? namespace : namespace.default;
const root = Buffer.from(rootKey, 'base64');
addTrustedRoot(root);
trustTestRoot(baileys, root);
report(
  'replaced',
  replaced().flatMap(({ exports }) => exports)
);

const server = { url, ca };
const auth = await pair({
  baileys,
  server,
  /** @param {string} qr */
  scan: qr => ask('qr', qr)
});
report('paired', auth.creds.me.id);

const sock = await login({ baileys, server, auth });
/** @type {string[]} */
const received = [];
sock.ws.on('CB:relay', (/** @type {any} */ node) => received.push(node.attrs.id));
const { count } = await ask('login', auth.creds.me.id);
await ping(sock);
report('received', [received.length, received.every((id, i) => i === 0 || received[i - 1] !== id)]);
for (let n = 0; n < count; n++) await sock.sendNode({ tag: 'presence', attrs: { type: 'available', n: String(n) } });
await ping(sock);
report('socket', sock.ws.socket.constructor.name);
await ask('sent', count);
sock.end(undefined);
process.exit(0);
