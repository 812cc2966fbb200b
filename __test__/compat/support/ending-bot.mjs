// A bot that connects once and prints the end of the connection as JSON.
//
//     node --import baileys-native/register ending-bot.mjs <package> <url> wait|end|qr <connectTimeoutMs> [root key, in hex]
//
// `qr`: the bot ends at the first QR code.

import { Boom } from '@hapi/boom';
import { addTrustedRoot, trustTestRoot } from 'baileys-native/testing';
import { openSocket } from '../../support/baileys-client.mjs';

const [line, url, act, timeout, root] = process.argv.slice(2);
const uncaught = [];
process.on('uncaughtException', error => uncaught.push(error.message));
process.on('unhandledRejection', error => uncaught.push(String(error)));

const namespace = await import(line);
const baileys = namespace.makeWASocket ? namespace : namespace.default;
if (root !== undefined) {
  trustTestRoot(baileys, Buffer.from(root, 'hex'));
  addTrustedRoot(Buffer.from(root, 'hex'));
}
const sock = openSocket({ baileys, server: { url }, config: { connectTimeoutMs: Number(timeout) } });
const { socket } = sock.ws;

/** The time of the first call of close(). */
let closeCalledAt;
const close = sock.ws.close;
sock.ws.close = function () {
  closeCalledAt ??= performance.now();
  return Reflect.apply(close, this, []);
};
const ended = new Promise(resolve => {
  sock.ev.on('connection.update', ({ connection, lastDisconnect, qr }) => {
    if (qr && act === 'qr') resolve('qr');
    if (connection === 'close') resolve(lastDisconnect?.error?.output?.statusCode);
  });
});
if (act === 'end') void sock.end(new Boom('Connection Closed', { statusCode: 428 }));
const code = await ended;
const closeMs = closeCalledAt === undefined ? 0 : performance.now() - closeCalledAt;
const isGone = () => socket.readyState === socket.CLOSED;
// `ws` would wait for 30 s.
for (let i = 0; i < 1_000 && !isGone(); i++) await new Promise(resolve => setTimeout(resolve, 10));
const report =
  act === 'wait' && closeCalledAt === undefined ? { code, uncaught } : { code, uncaught, isClosed: isGone(), closeMs };
process.stdout.write(JSON.stringify(report), () => process.exit());
