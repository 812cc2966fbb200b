/** Runs one scripted behaviour against Baileys' WebSocketClient and against ours, and gives both logs. */

import { once } from 'node:events';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { WebSocketServer } from 'ws';

const require = createRequire(import.meta.url);
const baileys = new URL('./lib/Socket/Client/websocket.js', import.meta.resolve('baileys/package.json'));

export const { WebSocketClient: BaileysClient } = await import(baileys);
export const { WebSocketClient: NativeClient } = require(fileURLToPath(new URL('../../js/index.cjs', import.meta.url)));

const EVENTS = ['open', 'message', 'close', 'error', 'upgrade', 'unexpected-response', 'ping', 'pong'];
const GETTERS = ['isOpen', 'isClosed', 'isClosing', 'isConnecting'];
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** The true getters of a client, by name. */
export const state = client => GETTERS.filter(name => client[name] === true).join(' ');

/** A value as it is compared: type and content, without what differs between runs. */
function plain(value) {
  if (value instanceof Error) {
    const { name, message, code, errno, syscall, address, reason, host } = value;
    const errors = value.errors?.map(plain);
    return {
      name,
      message: message.replace(/:\d{4,5}\b/g, ':PORT'),
      code,
      errno,
      syscall,
      address,
      errors,
      reason,
      host
    };
  }
  if (Buffer.isBuffer(value)) {
    return value.length > 64
      ? `Buffer(${value.length}) ${createHash('sha1').update(value).digest('hex')}`
      : value.toString('hex');
  }
  if (value?.statusCode) {
    const headers = value.rawHeaders.filter((_, i, all) => !/^sec-websocket-accept$/i.test(all[i & ~1]));
    const { statusCode, statusMessage, httpVersion } = value;
    return { statusCode, statusMessage, httpVersion, headers, names: Object.keys(value.headers) };
  }
  if (typeof value?.path === 'string') return { method: value.method, path: value.path };
  return value;
}

/** Logs every event of a client, in order, with arguments and getters. */
export function observe(client, log = []) {
  for (const event of EVENTS) client.on(event, (...args) => log.push([event, ...args.map(plain), state(client)]));
  return log;
}

/** A raw TCP server that reads the request and then does what `answer(socket, acceptKey)` says. */
export async function rawServer(answer) {
  const sockets = new Set();
  const server = createServer(socket => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('data', data => {
      const key = /sec-websocket-key: (.*)\r\n/i.exec(data.toString())?.[1] ?? '';
      answer(
        socket,
        createHash('sha1')
          .update(key + GUID)
          .digest('base64'),
        data.toString()
      );
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: server.address().port,
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    }
  };
}

/** The answer that opens a WebSocket. */
export const accept = key =>
  `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${key}\r\n\r\n`;

/** A `ws` server; `connected(socket)` is called for every client. */
export async function wsServer(connected, options = {}) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', ...options });
  server.on('connection', connected);
  await once(server, 'listening');
  return {
    port: server.address().port,
    close: () => {
      for (const client of server.clients) client.terminate();
      server.close();
    }
  };
}

/**
 * Runs `script({ client, log, note, port })` with each of the two clients against a fresh server.
 *
 * @param {() => Promise<{ port: number, close: () => void }>} start starts the server
 * @param {(context: object) => Promise<void>} script connects and ends when the behaviour is over
 * @param {object} [config] the clients' configuration
 * @returns {Promise<{ expected: unknown[], actual: unknown[] }>}
 */
export async function compare(start, script, config = {}) {
  const logs = [];
  for (const Client of [BaileysClient, NativeClient]) {
    const log = [];
    const note = (what, ...args) => log.push([what, ...args.map(plain)]);
    const server = await start({ note });
    const client = new Client(new URL(`ws://127.0.0.1:${server.port}/ws?a=b`), { connectTimeoutMs: 5000, ...config });
    observe(client, log);
    try {
      await script({ client, Client, log, note, port: server.port });
    } finally {
      server.close();
    }
    logs.push(log);
  }
  return { expected: logs[0], actual: logs[1] };
}

/** Waits for an event; rejects on `error` and after eight seconds. */
export const event = (client, name) => once(client, name, { signal: AbortSignal.timeout(8000) });
