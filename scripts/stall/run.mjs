/**
 * Tests a blocked event loop: a client connects and blocks its event loop while the server sends stanzas. The server
 * closes a connection that sends nothing for 1.5 keep-alive intervals.
 */

import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { MockServer } from 'baileys-native/testing';
import { runChild } from '../shared/child.mjs';
import { BLOCKS } from './blocks.mjs';

/**
 * @typedef {object} StallScenario
 * @property {import('../shared/child.mjs').Layer} layer
 * @property {string} [packageName] The package of Baileys.
 * @property {false} [keepAliveWhileBlocked] The option of this name for the socket of Baileys.
 * @property {boolean} [toleratesSilence] Whether the server keeps silent connections open.
 * @property {boolean} [pings] Whether the server sends WebSocket pings during the block.
 * @property {number} intervalMs The keep-alive interval of the client.
 * @property {number} blockedMs
 * @property {number} stanzas
 * @property {number} [bytes] The length of the content of each stanza.
 *
 * @typedef {StallScenario & { packageName: string, url: string, ca: string, rootKey: string }} StallSettings
 *
 * @typedef {object} KeptAlive The counters of the addon.
 * @property {number} stalls
 * @property {number} blockedMs
 * @property {number} keepAlives
 *
 * @typedef {object} ClientResult
 * @property {number} received The number of stanzas that the client got.
 * @property {number} inOrder The number of stanzas that were in order.
 * @property {number} [code] The status of the end, if the connection has ended.
 * @property {boolean} [clientQueryAnswered] Whether the server has answered a query of Baileys after the block.
 * @property {boolean} [serverQueryAnswered] Whether Baileys has answered a query of the server after the block.
 * @property {number} [unsolicited] The number of answers that Baileys got without a query.
 * @property {KeptAlive} [keptAlive]
 *
 * @typedef {object} ServerResult
 * @property {number} keepAlives Keep-alive queries that the server got while the client was blocked.
 * @property {number} pongs Pongs that the server got while the client was blocked.
 */

const CLIENT = fileURLToPath(new URL('client.mjs', import.meta.url));

/** The time that a run may take in addition to the block, in milliseconds. */
const EXTRA_MS = 60_000;

/** The number of stanzas in one burst. */
const BURST = 100;

/**
 * @param {number} n
 * @param {number} [bytes]
 */
const stanza = (n, bytes = 64) => ({
  tag: 'relay',
  attrs: { id: `S${n}`, n: String(n) },
  content: Buffer.alloc(bytes, n)
});

/**
 * Closes connections that send nothing for `ms` milliseconds. Returns a function that stops it.
 *
 * @param {import('baileys-native/testing').MockServer} server
 * @param {number} ms
 */
function closeSilent(server, ms) {
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  let received = 0;
  server.on('stanza', ({ direction }, connection) => {
    if (direction !== 'in') return;
    const before = ++received;
    clearTimeout(timer);
    // Data that arrived in time counts, also if this busy process has not read it yet.
    const check = () => setImmediate(() => received === before && connection.drop());
    timer = setTimeout(() => setImmediate(check), ms);
  });
  return () => clearTimeout(timer);
}

/**
 * Sends the stanzas in bursts during three quarters of the time. Stops if the connection ends.
 *
 * @param {import('baileys-native/testing').Connection} connection
 * @param {StallScenario} scenario
 */
async function sendAll(connection, { stanzas, blockedMs, bytes }) {
  const pauseMs = (blockedMs * 0.75) / Math.ceil(stanzas / BURST);
  // After this time the client is blocked.
  await delay(blockedMs / 20);
  for (let n = 0; n < stanzas && connection.state !== 'closed';) {
    const burst = Array.from({ length: Math.min(BURST, stanzas - n) }, () => stanza(n++, bytes));
    await Promise.all(burst.map(node => connection.send(node).catch(() => {})));
    await delay(pauseMs);
  }
}

/**
 * @param {StallScenario} scenario
 * @returns {Promise<ClientResult & ServerResult>}
 */
export async function stall(scenario) {
  const { layer, packageName = 'baileys' } = scenario;
  // Baileys 6 loses a stanza that arrives directly after the handshake, before its finishInit has ended.
  const greetingDelayMs = packageName === 'baileys' ? 0 : 250;
  const server = await MockServer.start({ baileys: packageName, acceptUnknown: true, record: false, greetingDelayMs });
  const stopClosing = scenario.toleratesSilence ? () => {} : closeSilent(server, 1.5 * scenario.intervalMs);
  const latest = () => server.connections[server.connections.length - 1];
  let isBlocked = false;
  let keepAlives = 0;
  let pongs = 0;
  const sendPings = () => {
    const connection = latest();
    const timer = setInterval(() => {
      if (!isBlocked || connection.state === 'closed') return clearInterval(timer);
      connection.wsPing().then(
        () => isBlocked && pongs++,
        () => {}
      );
    }, scenario.intervalMs / 2);
  };
  // What the client wrote before it blocked arrives before this stanza.
  const startBlock = () => {
    isBlocked = true;
    setTimeout(() => (isBlocked = false), scenario.blockedMs);
    void sendAll(latest(), scenario);
    if (scenario.pings) sendPings();
  };
  server.on('stanza', ({ direction, node }) => {
    if (direction !== 'in') return;
    if (node.tag === BLOCKS) startBlock();
    else if (isBlocked && node.attrs.xmlns === 'w:p') keepAlives++;
  });
  const services = {
    /** Sends a query to the client. Resolves with whether it was answered. */
    queryClient: () =>
      latest()
        .query({ tag: 'iq', attrs: { type: 'get', xmlns: 'stall' } })
        .then(
          () => true,
          () => false
        )
  };
  try {
    /** @type {ClientResult} */
    const result = await runChild(CLIENT, {
      layer,
      name: `the client (${layer})`,
      services,
      settings: {
        ...scenario,
        packageName,
        url: server.url,
        ca: server.ca,
        rootKey: server.rootKey.toString('hex')
      },
      timeoutMs: scenario.blockedMs + EXTRA_MS
    });
    return { ...result, keepAlives, pongs };
  } finally {
    stopClosing();
    await server.stop();
  }
}
