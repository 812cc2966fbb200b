/** The clients of each release line, logs of their events, and servers for them. */

import { once } from 'node:events';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { createHash } from 'node:crypto';
import { WebSocketServer } from 'ws';
import { importFiles } from '../../scripts/shared/baileys.mjs';
import { LINE_NAMES, packageOf } from './baileys-lines.mjs';
import { firstInTime } from './time-limits.mjs';
import { EVENT_TIMEOUT_MS } from './until.mjs';

const require = createRequire(import.meta.url);
const { createDropIn } = require('../../js/baileys/drop-in.cjs');

async function loadClients(name) {
  const [client, generics] = await importFiles(packageOf(name), ['webSocketClient', 'generics']);
  return {
    name,
    Baileys: client.WebSocketClient,
    Native: createDropIn({ dialect: name }).WebSocketClient,
    /** Baileys' status code for an error of a socket. */
    statusCodeOf: generics.getCodeFromWSError
  };
}

/** Baileys' client and ours for each release line. */
export const LINES = await Promise.all(LINE_NAMES.map(loadClients));

export const { Baileys: BaileysClient, Native: NativeClient, statusCodeOf } = LINES[0];

const EVENTS = ['open', 'message', 'close', 'error', 'upgrade', 'unexpected-response', 'ping', 'pong'];
const GETTERS = ['isOpen', 'isClosed', 'isClosing', 'isConnecting'];
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** The names of the getters of a client that are true. */
export const state = client => GETTERS.filter(name => client[name] === true).join(' ');

/** The text that Node 24 appends to some TLS errors: the known difference `texts-of-tls-errors`. */
const HINT = '; if the root CA is installed locally, try running Node.js with --use-system-ca';

/**
 * Converts a value for the comparison: type and content, without parts that differ between runs and versions of Node.
 */
export function plain(value) {
  if (value instanceof Error) {
    const { name, message, code, errno, syscall, address, reason, host } = value;
    const errors = value.errors?.map(plain);
    return {
      name,
      message: message.replace(HINT, '').replace(/:\d{4,5}\b/g, ':PORT'),
      code,
      errno,
      syscall,
      address,
      errors,
      reason,
      host,
      statusCode: statusCodeOf(value)
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
export function logEvents(client, log = []) {
  for (const event of EVENTS) client.on(event, (...args) => log.push([event, ...args.map(plain), state(client)]));
  return log;
}

/** A raw TCP server that reads the request and then calls `answer(socket, acceptKey)`. */
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

/** The response that opens a WebSocket. */
export const upgradeResponse = key =>
  `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${key}\r\n\r\n`;

/** A `ws` server. `connected(socket)` is called for every client. Errors of connections are ignored. */
export async function wsServer(connected, options = {}) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', ...options });
  server.on('connection', socket => socket.on('error', () => {}));
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
 * Runs `script({ client, Client, line, log, note, port, connectTimeoutMs })` with both clients of a release line, each
 * with its own server.
 *
 * @param {object} line one of {@link LINES}
 * @param {() => Promise<{ port: number, close: () => void }>} start starts the server
 * @param {(context: object) => Promise<void>} script connects, and resolves when the log is complete
 * @param {object} [config] the clients' configuration
 * @param {(log: unknown[]) => boolean} [isInTime] whether the server was faster than the connect timeout. If not, the
 *   script runs again with a longer timeout.
 * @returns {Promise<{ expected: unknown[], actual: unknown[] }>}
 */
export async function runBothClients(line, start, script, config = {}, isInTime = undefined) {
  const { connectTimeoutMs = 30_000 } = config;
  const logs = [];
  for (const Client of [line.Baileys, line.Native]) {
    const run = connectTimeoutMs => runClient(Client, line, start, script, { ...config, connectTimeoutMs });
    logs.push(await (isInTime ? firstInTime(run, isInTime, connectTimeoutMs) : run(connectTimeoutMs)));
  }
  return { expected: logs[0], actual: logs[1] };
}

async function runClient(Client, line, start, script, config) {
  const log = [];
  const note = (what, ...args) => {
    if (EVENTS.includes(what)) throw new Error(`a note has the name of the event ${what}`);
    log.push([what, ...args.map(plain)]);
  };
  const server = await start({ note });
  try {
    const { port } = server;
    const client = new Client(new URL(`ws://127.0.0.1:${port}/ws?a=b`), config);
    logEvents(client, log);
    await script({ client, Client, line, log, note, port, connectTimeoutMs: config.connectTimeoutMs });
    // close() of Baileys 6 does not wait for the event.
    const count = name => log.filter(([what]) => what === name).length;
    if (client.socket === null && count('open') > count('close')) await closeEvent(client);
  } finally {
    server.close();
  }
  return log;
}

/** A short text of a log: its events, with the codes of errors and closes. */
export function summaryOf(log) {
  const entries = log.flatMap(([what, first, second]) => {
    if (what === 'upgrade' || !EVENTS.includes(what)) return [];
    if (what === 'error') return [`error ${first.code ?? `"${first.message}"`}`];
    if (what === 'unexpected-response') return [`unexpected-response ${second.statusCode}`];
    return [what === 'close' && first !== undefined ? `close ${first}` : what];
  });
  const counted = [];
  for (const each of entries) {
    if (counted.at(-1)?.each === each) counted.at(-1).times++;
    else counted.push({ each, times: 1 });
  }
  const notes = log.filter(([what]) => !EVENTS.includes(what)).length;
  const events = counted.map(({ each, times }) => (times > 1 ? `${each} ×${times}` : each)).join(', ');
  return [events || 'no event', ...(notes > 0 ? [`${notes} noted`] : [])].join('; ');
}

/** Waits for `close`, also after `error`. (`once` of node:events rejects on `error`.) */
export function closeEvent(client) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('no close event')), EVENT_TIMEOUT_MS);
    client.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** Waits for an event; rejects on `error` and after a time limit. */
export const nextEvent = (client, name) => once(client, name, { signal: AbortSignal.timeout(EVENT_TIMEOUT_MS) });
