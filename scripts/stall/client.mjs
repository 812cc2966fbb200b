// The client of a stall test: a child process that connects, blocks its event loop, and reports the result.

import { Agent } from 'node:https';
import { NativeSession, metrics } from 'baileys-native';
import { addTrustedRoot, trustTestRoot } from 'baileys-native/testing';

/** @typedef {import('./run.mjs').Settings} Settings */

/** @param {any} baileys */
const credentials = baileys => ({
  ...baileys.initAuthCreds(),
  me: { id: '15550000001:1@s.whatsapp.net', name: 'Mock user', lid: '100000000000001:1@lid' },
  accountSyncCounter: 1
});

/** @param {string} line */
async function load(line) {
  const namespace = await import(line);
  return namespace.makeWASocket ? namespace : namespace.default;
}

/**
 * @param {Settings} settings
 * @param {(number: string) => void} onStanza
 * @param {(code: number) => void} onClose
 * @returns {Promise<() => Promise<object>>} A function that checks the connection after the block.
 */
async function connectNative({ url, ca, rootKey, intervalMs, line }, onStanza, onClose) {
  const session = new NativeSession({
    url,
    agent: new Agent({ ca }),
    trustedRoot: Buffer.from(rootKey, 'hex'),
    auth: { creds: credentials(await load(/** @type {string} */ (line))) },
    keepAliveIntervalMs: intervalMs,
    reconnect: false
  });
  session.onStanza('CB:relay', ({ attrs }) => onStanza(attrs.n));
  session.on('close', ({ code }) => onClose(code));
  await session.connect();
  await session.query({ tag: 'iq', attrs: { to: 's.whatsapp.net', type: 'get', xmlns: 'w:p' } });
  return async () => ({});
}

/** A logger that writes nothing. */
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
async function connectBaileys({ url, ca, rootKey, intervalMs, line, standIn }, onStanza, onClose) {
  const baileys = await load(/** @type {string} */ (line));
  trustTestRoot(baileys, Buffer.from(rootKey, 'hex'));
  addTrustedRoot(Buffer.from(rootKey, 'hex'));
  const sock = baileys.makeWASocket({
    waWebSocketUrl: url,
    agent: new Agent({ ca }),
    auth: { creds: credentials(baileys), keys: { get: async () => ({}), set: async () => {} } },
    keepAliveIntervalMs: intervalMs,
    ...(standIn === false ? { keepAliveWhileBlocked: false } : {}),
    logger: /** @type {any} */ (silent)
  });
  // The ids of Baileys' own queries begin with this prefix.
  const ownIds = sock.generateMessageTag().replace(/[^-]*$/, '');
  let strays = 0;
  sock.ws.on('CB:relay', (/** @type {any} */ { attrs }) => onStanza(attrs.n));
  sock.ws.on('CB:iq,xmlns:stall', (/** @type {any} */ { attrs }) =>
    sock.sendNode({ tag: 'iq', attrs: { to: 's.whatsapp.net', type: 'result', id: attrs.id } })
  );
  await new Promise((resolve, reject) => {
    sock.ev.on('connection.update', (/** @type {any} */ { connection, lastDisconnect }) => {
      if (connection === 'open') resolve(undefined);
      if (connection !== 'close') return;
      const error = lastDisconnect?.error;
      onClose(error?.output?.statusCode);
      reject(error);
    });
  });
  sock.ws.on('frame', (/** @type {any} */ { tag, attrs }) => {
    if (tag === undefined || (attrs.type === 'result' && !attrs.id.startsWith(ownIds))) strays++;
  });
  return async () => {
    await sock.query({ tag: 'iq', attrs: { to: 's.whatsapp.net', type: 'get', xmlns: 'w:p' } });
    return { asked: true, strays, keptAlive: metrics().sockets.keptAlive };
  };
}

/** @param {unknown} message */
const tell = message =>
  new Promise(resolve =>
    /** @type {NonNullable<typeof process.send>} */ (process.send)(message, () => resolve(undefined))
  );

/** @param {number} ms */
const delay = ms => new Promise(resolve => setTimeout(resolve, ms));

process.once('message', async settings => {
  const { backend, intervalMs, stanzas, blockedMs } = /** @type {Settings} */ (settings);
  let inOrder = 0;
  let received = 0;
  let ended = false;
  /** @type {() => void} */
  let complete = () => {};
  const all = new Promise(resolve => (complete = () => resolve(undefined)));
  if (stanzas === 0) complete();
  /** @param {number | undefined} code */
  const finish = async (code, found = {}) => {
    if (ended) return;
    ended = true;
    await tell({ result: { received, inOrder, code, ...found } });
    // The server may still send a query.
    if (!('asked' in found)) process.exit();
  };
  /** @param {string} number */
  const onStanza = number => {
    if (Number(number) === received) inOrder++;
    if (++received === stanzas) complete();
  };
  const connect = backend === 'native' ? connectNative : connectBaileys;
  try {
    const lookBack = await connect(/** @type {Settings} */ (settings), onStanza, finish);
    await tell({ ready: true });
    // Blocks in the phase before timers: data that arrives during the block is read after the due timers.
    await new Promise(resolve => setImmediate(resolve));
    const end = Date.now() + blockedMs;
    while (Date.now() < end);
    await all;
    // The keep-alive timers must run before the connection counts as alive.
    await delay(2 * intervalMs);
    if (!ended) await finish(undefined, await lookBack());
  } catch (error) {
    if (ended) return;
    await tell({ failure: error instanceof Error ? error.stack : String(error) });
    process.exit(1);
  }
});
