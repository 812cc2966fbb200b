// Baileys clients for a mock server, without log output. The module namespace of Baileys is a parameter.

import { Agent } from 'node:https';
import { EVENT_TIMEOUT_MS } from './until.mjs';

/**
 * @typedef {object} ClientTarget
 * @property {string} url
 * @property {string} [ca] PEM of the server's certificate authority.
 */

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'];

/** A logger for Baileys that stores entries of at least `level` and prints nothing. */
export function recordingLogger(level = 'warn', entries = []) {
  const logger = { level, entries, child: () => logger };
  for (const name of LEVELS) {
    const isStored = LEVELS.indexOf(name) >= LEVELS.indexOf(level);
    logger[name] = isStored ? (data, message) => entries.push({ level: name, data, message }) : () => {};
  }
  return logger;
}

/** A logger that writes nothing. */
export function silentLogger() {
  const logger = { level: 'silent', child: () => logger };
  for (const name of LEVELS) logger[name] = () => {};
  return logger;
}

/** Credentials and keys in memory, for Baileys' `auth` option; `apply` is the listener for `creds.update`. */
export function memoryAuth(baileys, creds = baileys.initAuthCreds()) {
  const store = new Map();
  const keys = {
    get: async (type, ids) =>
      Object.fromEntries(ids.flatMap(id => (store.has(`${type}:${id}`) ? [[id, store.get(`${type}:${id}`)]] : []))),
    set: async data => {
      for (const [type, values] of Object.entries(data)) {
        for (const [id, value] of Object.entries(values)) {
          if (value === null || value === undefined) store.delete(`${type}:${id}`);
          else store.set(`${type}:${id}`, value);
        }
      }
    },
    clear: async () => store.clear()
  };
  return { creds, keys, apply: update => Object.assign(creds, update) };
}

/**
 * Creates a socket to the server and does not wait for its login. History sync is marked as done, so that Baileys does
 * not delay events for twenty seconds.
 *
 * @param {object} options
 * @param {object} options.baileys Baileys' module namespace.
 * @param {ClientTarget} options.server
 * @param {ReturnType<typeof memoryAuth>} [options.auth]
 * @param {object} [options.config] More of Baileys' options.
 */
export function openSocket({ baileys, server, auth = memoryAuth(baileys), config = {} }) {
  auth.creds.accountSyncCounter ||= 1;
  const makeWASocket = baileys.makeWASocket ?? baileys.default?.makeWASocket ?? baileys.default;
  const sock = makeWASocket({
    waWebSocketUrl: server.url,
    agent: server.ca ? new Agent({ ca: server.ca }) : undefined,
    auth: { creds: auth.creds, keys: auth.keys },
    logger: silentLogger(),
    connectTimeoutMs: EVENT_TIMEOUT_MS,
    // The timer of a query that is not answered keeps the process alive.
    defaultQueryTimeoutMs: 10_000,
    ...config
  });
  sock.ev.on('creds.update', auth.apply);
  return sock;
}

/**
 * Resolves with the first `connection.update` that the predicate accepts. Rejects with Baileys' error if the connection
 * closes before, and after `timeoutMs`.
 */
export function connectionUpdate(sock, predicate, { timeoutMs = EVENT_TIMEOUT_MS } = {}) {
  return new Promise((resolve, reject) => {
    const finish = (settle, value) => {
      clearTimeout(timer);
      sock.ev.off('connection.update', onUpdate);
      settle(value);
    };
    const timer = setTimeout(() => finish(reject, new Error('no such connection update in time')), timeoutMs);
    const onUpdate = update => {
      if (predicate(update)) finish(resolve, update);
      else if (update.connection === 'close') finish(reject, update.lastDisconnect?.error ?? new Error('closed'));
    };
    sock.ev.on('connection.update', onUpdate);
  });
}

/** Resolves with the error that a socket closes with. */
export async function closed(sock, options) {
  const update = await connectionUpdate(sock, ({ connection }) => connection === 'close', options);
  return update.lastDisconnect?.error;
}

/**
 * Links a new device by QR code. Resolves with its credentials when the server has requested the restart.
 *
 * @param {object} options As for {@link openSocket}.
 * @param {(qr: string) => unknown} options.scan Tells the server of the code: `qr => server.scanQr(qr)`.
 */
export async function pair({ baileys, server, scan, auth = memoryAuth(baileys), config }) {
  const sock = openSocket({ baileys, server, auth, config });
  const end = closed(sock);
  const [error] = await Promise.all([end, connectionUpdate(sock, ({ qr }) => qr).then(({ qr }) => scan(qr))]);
  const code = error?.output?.statusCode;
  if (code !== 515) throw new Error(`pairing ended with ${code} instead of a restart`, { cause: error });
  return auth;
}

/** Sends a keep-alive query; resolves with its answer. */
export const ping = sock =>
  sock.query({
    tag: 'iq',
    attrs: { to: 's.whatsapp.net', type: 'get', xmlns: 'w:p' },
    content: [{ tag: 'ping', attrs: {} }]
  });

/**
 * Logs in with the credentials of a linked device. Resolves with the open socket after the answer to a ping: then the
 * first queries of Baileys are answered too. (The timeout of an unanswered query would stay active in Baileys.)
 */
export async function login({ baileys, server, auth, config }) {
  const sock = openSocket({ baileys, server, auth, config });
  try {
    await connectionUpdate(sock, ({ connection }) => connection === 'open');
    await ping(sock);
  } catch (error) {
    await sock.end(undefined);
    throw error;
  }
  return sock;
}
