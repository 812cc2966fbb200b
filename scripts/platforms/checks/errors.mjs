// Connections that fail, by the WebSocketClient of the installed package and by Baileys' own. The errors come from the
// operating system, and must have the same fields.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { WebSocketClient as BaileysClient } from 'baileys/lib/Socket/Client/websocket.js';
import { WebSocketClient } from 'baileys-native';

/** Time limit of a connection, in milliseconds. It is long enough for an emulator on a busy machine. */
const TIMEOUT_MS = 300_000;

/** From RFC 6455. */
const WEBSOCKET_ID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** @param {string} request @returns {string} The answer that opens a WebSocket. */
function upgradeAnswer(request) {
  const [, key] = /^sec-websocket-key: (.*)$/im.exec(request.replaceAll('\r', '')) ?? [];
  const accept = createHash('sha1').update(`${key}${WEBSOCKET_ID}`).digest('base64');
  return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;
}

/**
 * What a server does after the request of the upgrade. A server that is `undefined` does not exist: its port is closed.
 *
 * @type {Record<string, ((socket: import('node:net').Socket, request: string) => void) | undefined>}
 */
const SERVERS = {
  'no server': undefined,
  'the server resets the connection': socket => socket.resetAndDestroy(),
  'the server ends the connection': socket => socket.end(),
  'the server resets the open WebSocket': (socket, request) =>
    socket.write(upgradeAnswer(request), () => socket.resetAndDestroy())
};

/**
 * The events of a connection until it is closed: the fields of errors, and the code of the close event.
 *
 * @param {any} Client
 * @param {number} port
 */
async function eventsOf(Client, port) {
  const client = new Client(new URL(`ws://127.0.0.1:${port}/`), { connectTimeoutMs: TIMEOUT_MS });
  /** @type {unknown[]} */
  const events = [];
  client.on('open', () => events.push('open'));
  client.on('error', (/** @type {any} */ { message, code, errno, syscall, address, port }) =>
    events.push({ message, code, errno, syscall, address, port })
  );
  // Not `once` of `node:events`, which an error would end.
  const closed = new Promise(resolve => client.once('close', resolve));
  client.connect();
  const code = await closed;
  return [...events, code];
}

/**
 * Wine reads the error of a reset connection itself. A program that waits for a socket and then reads it, as the addon
 * does, sees the end of the connection; Node's pending reads get the error. Windows gives the error to both.
 */
const RESETS_ARE_ENDS = process.env.RESETS_ARE_ENDS === '1';

const servers = Object.entries(SERVERS).filter(([name]) => !RESETS_ARE_ENDS || !name.includes('resets'));
for (const [name, act] of servers) {
  const server = createServer(socket => {
    socket.on('error', () => {});
    socket.once('data', request => act?.(socket, String(request)));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  if (act === undefined) await once(server.close(), 'close');
  const expected = await eventsOf(BaileysClient, port);
  assert.ok(expected.length > 1, name);
  assert.deepEqual(await eventsOf(WebSocketClient, port), expected, name);
  if (act !== undefined) server.close();
  console.log(`${name}: ${JSON.stringify(expected)}`);
}
const left = Object.keys(SERVERS).length - servers.length;
console.log(`passed: ${servers.length} same${left > 0 ? `, ${left} not tried` : ''}`);
process.exit(0);
