// The client of a stall test: a child process that connects, blocks its event loop, and returns the result.

import { existsSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { NativeSession, metrics } from 'baileys-native';
import { addTrustedRoot, trustTestRoot } from 'baileys-native/testing';
import { importPackage } from '../shared/baileys.mjs';
import { pingQuery, silentLogger, statusCode } from '../shared/bot.mjs';
import { childMain } from '../shared/child.mjs';
import { BLOCKS } from './blocks.mjs';

/**
 * @typedef {import('./run.mjs').StallSettings} StallSettings
 * @typedef {import('./run.mjs').ClientResult} ClientResult
 *
 * @typedef {object} Listeners
 * @property {(number: string) => void} onStanza
 * @property {(code: number | undefined) => void} onClose
 *
 * @typedef {object} Client
 * @property {(node: any) => Promise<unknown>} send Resolves when the stanza is written.
 * @property {() => Promise<Partial<ClientResult>>} check Checks the connection after the block.
 */

/** @param {typeof import('baileys')} baileys */
const credentials = baileys => ({
  ...baileys.initAuthCreds(),
  me: { id: '15550000001:1@s.whatsapp.net', name: 'Mock user', lid: '100000000000001:1@lid' },
  accountSyncCounter: 1
});

/**
 * @param {StallSettings} settings
 * @param {Listeners} listeners
 * @returns {Promise<Client>}
 */
async function connectSession({ url, ca, rootKey, intervalMs, packageName }, { onStanza, onClose }) {
  const session = new NativeSession({
    url,
    agent: new Agent({ ca }),
    trustedRoot: Buffer.from(rootKey, 'hex'),
    auth: { creds: credentials(await importPackage(packageName)) },
    keepAliveIntervalMs: intervalMs,
    reconnect: false
  });
  session.onStanza('CB:relay', ({ attrs }) => onStanza(attrs.n));
  session.on('close', ({ code }) => onClose(code));
  await session.connect();
  await session.query(pingQuery());
  return { send: node => session.sendNode(node), check: async () => ({}) };
}

/**
 * @param {StallSettings} settings
 * @param {Listeners} listeners
 * @param {(what: string) => Promise<any>} ask
 * @returns {Promise<Client>}
 */
async function connectBaileys(settings, { onStanza, onClose }, ask) {
  const { url, ca, intervalMs, packageName, keepAliveWhileBlocked } = settings;
  const rootKey = Buffer.from(settings.rootKey, 'hex');
  const baileys = await importPackage(packageName);
  trustTestRoot(baileys, rootKey);
  addTrustedRoot(rootKey);
  const sock = baileys.makeWASocket({
    waWebSocketUrl: url,
    agent: new Agent({ ca }),
    auth: {
      creds: credentials(baileys),
      keys: { get: async () => ({}), set: async () => {} }
    },
    keepAliveIntervalMs: intervalMs,
    ...(keepAliveWhileBlocked === undefined ? {} : { keepAliveWhileBlocked }),
    logger: silentLogger()
  });
  // The ids of Baileys' own queries begin with this prefix.
  const ownIds = sock.generateMessageTag().replace(/[^-]*$/, '');
  let unsolicited = 0;
  sock.ws.on('CB:relay', (/** @type {any} */ { attrs }) => onStanza(attrs.n));
  sock.ws.on('CB:iq,xmlns:stall', (/** @type {any} */ { attrs }) =>
    sock.sendNode({ tag: 'iq', attrs: { to: 's.whatsapp.net', type: 'result', id: attrs.id } })
  );
  await new Promise((resolve, reject) => {
    sock.ev.on('connection.update', (/** @type {any} */ { connection, lastDisconnect }) => {
      if (connection === 'open') resolve(undefined);
      if (connection !== 'close') return;
      const error = lastDisconnect?.error;
      onClose(statusCode(error));
      reject(error);
    });
  });
  sock.ws.on('frame', (/** @type {any} */ { tag, attrs }) => {
    if (tag === undefined || (attrs.type === 'result' && !attrs.id.startsWith(ownIds))) unsolicited++;
  });
  return {
    send: node => sock.sendNode(node),
    async check() {
      // Baileys resolves with undefined when the time is over.
      const clientQueryAnswered = (await sock.query(pingQuery()))?.attrs.type === 'result';
      const serverQueryAnswered = await ask('queryClient');
      return { clientQueryAnswered, serverQueryAnswered, unsolicited, keptAlive: metrics().sockets.keptAlive };
    }
  };
}

/** If the parent has ended, the block ends after this time, in milliseconds. */
const LONGEST_BLOCK_MS = 300_000;

/**
 * Blocks the thread until the parent ends the block.
 *
 * @param {import('./run.mjs').BlockFiles} files
 */
function block({ blocked, release }) {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  const end = performance.now() + LONGEST_BLOCK_MS;
  writeFileSync(blocked, '');
  while (!existsSync(release) && performance.now() < end) Atomics.wait(cell, 0, 0, 10);
}

await childMain(async (/** @type {StallSettings} */ settings, ask) => {
  const { layer, intervalMs, stanzas, files } = settings;
  let inOrder = 0;
  let received = 0;
  /** @type {() => void} */
  let complete = () => {};
  /** @type {Promise<void>} */
  const allReceived = new Promise(resolve => (complete = resolve));
  if (stanzas === 0) complete();
  /** @type {(result: ClientResult) => void} */
  let end = () => {};
  /** @type {Promise<ClientResult>} */
  const ended = new Promise(resolve => (end = resolve));
  /** @type {Listeners} */
  const listeners = {
    onStanza(number) {
      if (Number(number) === received) inOrder++;
      if (++received === stanzas) complete();
    },
    onClose: code => end({ received, inOrder, code })
  };
  const run = async () => {
    const { send, check } = await (layer === 'session' ? connectSession : connectBaileys)(settings, listeners, ask);
    await send({ tag: BLOCKS, attrs: {} });
    // Blocks in the phase before timers: data that arrives during the block is read after the due timers.
    await new Promise(resolve => setImmediate(resolve));
    block(files);
    await allReceived;
    // The keep-alive timers must run before the connection counts as open.
    await delay(2 * intervalMs);
    return { ...(await check()), received, inOrder };
  };
  return Promise.race([ended, run()]);
});
