// The bot of `bench` and `demo`: an unmodified Baileys in a child process. The flags of the process choose the layer.

import { createHash } from 'node:crypto';
import { Agent } from 'node:https';
import { addTrustedRoot, sampleStanzas, trustTestRoot } from '../../testing/index.mjs';
import { replaced } from '../../loader/register.mjs';

/** @import { BinaryNode } from '../../../index.d.ts' */
/** @typedef {Record<string, unknown>} Creds */
/** @typedef {{ encodeBinaryNode(node: BinaryNode): Uint8Array, decodeBinaryNode(bytes: Uint8Array): unknown }} Codec */
/** @typedef {{ baileys: any, url: string, ca?: string, auth: ReturnType<typeof memoryAuth> }} ClientSetup */
/** @typedef {{ connection?: string, qr?: string, lastDisconnect?: { error?: Error } }} Update `connection.update` */
/**
 * @typedef {object} BotSocket The part of Baileys' socket that is used here.
 * @property {import('node:events').EventEmitter} ws
 * @property {(node: BinaryNode) => Promise<unknown>} query
 * @property {(node: BinaryNode) => Promise<void>} sendNode
 */

/**
 * Waits for a message of the parent.
 *
 * @param {string} kind
 */
const nextMessage = kind =>
  new Promise(resolve => {
    /** @param {any} message */
    const listener = message => {
      if (message.kind !== kind) return;
      process.off('message', listener);
      resolve(message);
    };
    process.on('message', listener);
  });
/** @param {object} message */
const sendToParent = message => new Promise(resolve => process.send?.(message, resolve));

/** @type {Record<string, unknown>} */
const logger = { level: 'silent', child: () => logger };
for (const level of ['trace', 'debug', 'info', 'warn', 'error', 'fatal']) logger[level] = () => {};

/**
 * Credentials and keys in memory.
 *
 * @param {Creds} creds
 */
function memoryAuth(creds) {
  const store = new Map();
  return {
    creds,
    keys: {
      /**
       * @param {string} type
       * @param {string[]} ids
       */
      get: async (type, ids) =>
        Object.fromEntries(ids.flatMap(id => (store.has(`${type}:${id}`) ? [[id, store.get(`${type}:${id}`)]] : []))),
      /** @param {Record<string, Record<string, unknown>>} data */
      set: async data => {
        for (const [type, values] of Object.entries(data))
          for (const [id, value] of Object.entries(values))
            if (value === null || value === undefined) store.delete(`${type}:${id}`);
            else store.set(`${type}:${id}`, value);
      }
    }
  };
}

/**
 * A socket, and promises of its events.
 *
 * @param {ClientSetup} context
 */
function connect({ baileys, url, ca, auth }) {
  const makeWASocket = baileys.makeWASocket ?? baileys.default?.makeWASocket ?? baileys.default;
  const agent = ca ? new Agent({ ca }) : undefined;
  const sock = makeWASocket({ waWebSocketUrl: url, agent, auth, logger, connectTimeoutMs: 20_000 });
  sock.ev.on('creds.update', (/** @type {Update} */ update) => Object.assign(auth.creds, update));
  /** @param {(update: Update) => unknown} accept */
  const until = accept =>
    new Promise((resolve, reject) => {
      sock.ev.on('connection.update', (/** @type {Update} */ update) => {
        if (accept(update)) resolve(update);
        else if (update.connection === 'close') reject(update.lastDisconnect?.error ?? new Error('closed'));
      });
    });
  return { sock, until };
}

/** @param {BotSocket} sock */
const ping = sock =>
  sock.query({
    tag: 'iq',
    attrs: { to: 's.whatsapp.net', type: 'get', xmlns: 'w:p' },
    content: [{ tag: 'ping', attrs: {} }]
  });

/** @param {number[]} values */
const median = values => [...values].sort((a, b) => a - b)[values.length >> 1];

/**
 * Links a new device: the QR code is sent to the parent, which acts as the phone.
 *
 * @param {ClientSetup} context
 */
async function pair(context) {
  const { until } = connect(context);
  const ended = until(({ connection }) => connection === 'close');
  const { qr } = await until((/** @type {Update} */ update) => update.qr);
  await sendToParent({ kind: 'qr', qr });
  await ended;
}

/** @param {ClientSetup} context */
async function open(context) {
  const { sock, until } = connect(context);
  await until(({ connection }) => connection === 'open');
  await ping(sock);
  return sock;
}

/**
 * Receives a flood. The stanza `bench` marks its end.
 *
 * @param {BotSocket} sock
 * @param {number} count
 */
async function receive(sock, count) {
  const prepared = nextMessage('prepared');
  await sendToParent({ kind: 'prepare', count });
  await prepared;
  const ended = new Promise(resolve => sock.ws.once('CB:bench', resolve));
  const cpu = process.cpuUsage();
  const start = performance.now();
  await sendToParent({ kind: 'flood' });
  await ended;
  const ms = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  return { perSecond: (count / ms) * 1_000, cpuUs: (user + system) / count };
}

/**
 * Sends stanzas until the server has them all.
 *
 * @param {BotSocket} sock
 * @param {number} count
 */
async function send(sock, count) {
  const got = nextMessage('received');
  const expecting = nextMessage('expecting');
  await sendToParent({ kind: 'expect', count });
  // The stanzas can arrive before this message, because they use another connection.
  await expecting;
  const start = performance.now();
  for (let index = 0; index < count; index++) await sock.sendNode(sampleStanzas.ack(index));
  await got;
  return { perSecond: (count / (performance.now() - start)) * 1_000 };
}

/**
 * @param {BotSocket} sock
 * @param {number} count
 */
async function roundTrips(sock, count) {
  const times = [];
  for (let index = 0; index < count; index++) {
    const start = performance.now();
    await ping(sock);
    times.push(performance.now() - start);
  }
  return median(times);
}

/**
 * Measures the time of one call of the codec in microseconds.
 *
 * @param {Codec} codec
 * @param {number} milliseconds
 */
async function codec({ encodeBinaryNode, decodeBinaryNode }, milliseconds) {
  const node = sampleStanzas.message(1);
  const bytes = encodeBinaryNode(node);
  /** @param {() => unknown} call */
  const time = async call => {
    let calls = 0;
    const start = performance.now();
    while (performance.now() - start < milliseconds) for (let i = 0; i < 100; i++, calls++) await call();
    return ((performance.now() - start) * 1_000) / calls;
  };
  const both = { encodeUs: () => encodeBinaryNode(node), decodeUs: () => decodeBinaryNode(bytes) };
  for (const call of Object.values(both)) await time(call);
  return { encodeUs: await time(both.encodeUs), decodeUs: await time(both.decodeUs) };
}

/**
 * @param {ClientSetup & { user: string, exported: Codec }} context
 * @param {{ counts: Record<string, number> }} settings
 */
async function bench(context, { counts }) {
  Object.assign(context.auth.creds, {
    me: { id: `${context.user}:1@s.whatsapp.net`, name: 'Bench' },
    accountSyncCounter: 1
  });
  const sock = await open(context);
  await receive(sock, counts.warmUp);
  const received = await receive(sock, counts.stanzas);
  await send(sock, counts.warmUp);
  const sent = await send(sock, counts.sends);
  await roundTrips(sock, counts.pings);
  const roundTripMs = await roundTrips(sock, counts.pings);
  const { encodeBinaryNode, decodeBinaryNode } = context.exported;
  const times = await codec({ encodeBinaryNode, decodeBinaryNode }, counts.codecMs);
  return {
    inPerSecond: received.perSecond,
    cpuUs: received.cpuUs,
    outPerSecond: sent.perSecond,
    roundTripMs,
    ...times
  };
}

/**
 * @param {ClientSetup} context
 * @param {{ counts: Record<string, number> }} settings
 */
async function demo(context, { counts }) {
  /** @type {{ name: string, ms: number }[]} */
  const steps = [];
  /**
   * @param {string} name
   * @param {() => any} action
   */
  const step = async (name, action) => {
    const start = performance.now();
    const value = await action();
    steps.push({ name, ms: performance.now() - start });
    return value;
  };
  context.auth.creds.accountSyncCounter = 1;
  await step('link by QR code', () => pair(context));
  const sock = await step('log in', () => open(context));
  const digest = createHash('sha256');
  sock.ws.on('frame', (/** @type {BinaryNode} */ { tag, attrs }) =>
    digest.update(JSON.stringify([tag, attrs.from, attrs.type]))
  );
  await step(`${counts.pings} round trips`, () => roundTrips(sock, counts.pings));
  await step(`${counts.stanzas} stanzas in`, () => receive(sock, counts.stanzas));
  await step(`${counts.sends} stanzas out`, () => send(sock, counts.sends));
  return { steps, inbound: digest.digest('hex') };
}

try {
  await sendToParent({ kind: 'ready' });
  const settings = await nextMessage('settings');
  const namespace = await import(settings.baileys);
  const exported = { ...namespace.default, ...namespace };
  if (settings.backend === 'native' && replaced().length === 0)
    throw new Error('register has not replaced this Baileys');
  trustTestRoot(namespace, Buffer.from(settings.rootKey, 'hex'));
  addTrustedRoot(Buffer.from(settings.rootKey, 'hex'));
  const auth = memoryAuth(exported.initAuthCreds());
  const context = { baileys: namespace, exported, auth, url: settings.url, ca: settings.ca, user: settings.user };
  const result = await (settings.mode === 'bench' ? bench : demo)(context, settings);
  await sendToParent({ kind: 'result', result });
} catch (error) {
  await sendToParent({ kind: 'failed', message: error.message });
}
process.exit(0);
