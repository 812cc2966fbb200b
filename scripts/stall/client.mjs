// The client of a stall: a child process that connects, blocks its event loop, and reports what it finds afterwards.

import { Agent } from 'node:https';
import * as baileys from 'baileys';
import { NativeSession } from 'baileys-native';
import { trustTestRoot } from 'baileys-native/testing';

/** @typedef {import('./run.mjs').Settings} Settings */

const credentials = () => ({
  ...baileys.initAuthCreds(),
  me: { id: '15550000001:1@s.whatsapp.net', name: 'Mock user', lid: '100000000000001:1@lid' },
  accountSyncCounter: 1
});

/**
 * @param {Settings} settings
 * @param {(number: string) => void} onStanza
 * @param {(code: number) => void} onClose
 */
async function connectNative({ url, ca, rootKey, intervalMs }, onStanza, onClose) {
  const session = new NativeSession({
    url,
    agent: new Agent({ ca }),
    trustedRoot: Buffer.from(rootKey, 'hex'),
    auth: { creds: credentials() },
    keepAliveIntervalMs: intervalMs,
    reconnect: false
  });
  session.onStanza('CB:relay', ({ attrs }) => onStanza(attrs.n));
  session.on('close', ({ code }) => onClose(code));
  await session.connect();
  await session.query({ tag: 'iq', attrs: { to: 's.whatsapp.net', type: 'get', xmlns: 'w:p' } });
}

/** A logger that keeps nothing. */
const silent = {
  level: 'silent',
  child: () => silent,
  trace() {},
  debug() {},
  info() {},
  warn() {},
  error() {},
  fatal() {}
};

/** @type {typeof connectNative} */
async function connectBaileys({ url, ca, rootKey, intervalMs }, onStanza, onClose) {
  trustTestRoot(baileys, Buffer.from(rootKey, 'hex'));
  const sock = baileys.makeWASocket({
    waWebSocketUrl: url,
    agent: new Agent({ ca }),
    auth: { creds: credentials(), keys: { get: async () => ({}), set: async () => {} } },
    keepAliveIntervalMs: intervalMs,
    logger: /** @type {any} */ (silent)
  });
  sock.ws.on('CB:relay', ({ attrs }) => onStanza(attrs.n));
  await new Promise((resolve, reject) => {
    sock.ev.on('connection.update', ({ connection, lastDisconnect }) => {
      if (connection === 'open') resolve(undefined);
      if (connection !== 'close') return;
      const error = /** @type {any} */ (lastDisconnect?.error);
      onClose(error?.output?.statusCode);
      reject(error);
    });
  });
}

/** @param {unknown} message */
const tell = message =>
  new Promise(resolve =>
    /** @type {NonNullable<typeof process.send>} */ (process.send)(message, () => resolve(undefined))
  );

process.once('message', async settings => {
  const { backend, stanzas, blockedMs } = /** @type {Settings} */ (settings);
  let inOrder = 0;
  let received = 0;
  /** @param {number | undefined} code */
  const finish = async code => {
    await tell({ result: { received, inOrder, code } });
    process.exit();
  };
  /** @param {string} number */
  const onStanza = number => {
    if (Number(number) === received) inOrder++;
    received++;
    // The keep-alive timers have their turn before the connection counts as alive.
    if (received === stanzas) setTimeout(() => finish(undefined), 2 * /** @type {Settings} */ (settings).intervalMs);
  };
  const connect = backend === 'native' ? connectNative : connectBaileys;
  try {
    await connect(/** @type {Settings} */ (settings), onStanza, finish);
    await tell({ ready: true });
    const end = Date.now() + blockedMs;
    while (Date.now() < end);
  } catch (error) {
    await tell({ failure: error instanceof Error ? error.stack : String(error) });
    process.exit(1);
  }
});
