/**
 * Tests a blocked event loop: a client connects and blocks its event loop while the server sends stanzas. The server
 * closes a connection that is silent for 1.5 keep-alive intervals.
 */

import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { MockServer } from 'baileys-native/testing';

/**
 * @typedef {object} Scenario
 * @property {'js' | 'native' | 'drop-in'} backend Baileys on its own socket layer, a NativeSession, Baileys under
 *   `register`.
 * @property {string} [line] The package of Baileys.
 * @property {boolean} [standIn] `false`: with `keepAliveWhileBlocked: false`.
 * @property {boolean} [patient] True: the server does not close silent connections.
 * @property {boolean} [pings] Whether the server sends WebSocket pings during the block.
 * @property {number} intervalMs
 * @property {number} blockedMs
 * @property {number} stanzas
 * @property {number} [bytes] The length of the content of each stanza.
 *
 * @typedef {Scenario & { url: string, ca: string, rootKey: string }} Settings
 * @typedef {{ stalls: number, blockedMs: number, keepAlives: number }} KeptAlive
 * @typedef {object} Result
 * @property {number} received The number of stanzas that the client got.
 * @property {number} inOrder The number of stanzas that were in order.
 * @property {number} [code] The status of the end, if the connection has ended.
 * @property {number} keepAlives Keep-alive queries that the server got while the client was blocked.
 * @property {number} pongs Pongs that the server got while the client was blocked.
 * @property {boolean} asked After the block, a query of Baileys was answered by the server.
 * @property {boolean} answered After the block, a query of the server was answered by Baileys.
 * @property {number} strays Answers that Baileys got without having sent a query.
 * @property {KeptAlive} [keptAlive] The counters of the addon.
 */

const CLIENT = fileURLToPath(new URL('client.mjs', import.meta.url));
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Flags of Node for each layer. */
const FLAGS = { js: [], native: [], 'drop-in': ['--import', 'baileys-native/register'] };

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
 * Cuts a connection that sends nothing for `ms` milliseconds.
 *
 * @param {import('baileys-native/testing').MockServer} server
 * @param {number} ms
 */
function closeSilent(server, ms) {
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  let heard = 0;
  server.on('stanza', ({ direction }, connection) => {
    if (direction !== 'in') return;
    const before = ++heard;
    clearTimeout(timer);
    // Data that has arrived in time but was not read yet by this busy process counts.
    const look = () => setImmediate(() => heard === before && connection.drop());
    timer = setTimeout(() => setImmediate(look), ms);
  });
  return () => clearTimeout(timer);
}

/**
 * Sends the stanzas in bursts during three quarters of the time. Stops if the connection ends.
 *
 * @param {import('baileys-native/testing').Connection} connection
 * @param {Scenario} scenario
 */
async function sendAll(connection, { stanzas, blockedMs, bytes }) {
  const pause = (blockedMs * 0.75) / Math.ceil(stanzas / BURST);
  // After this time the client is blocked.
  await new Promise(resolve => setTimeout(resolve, blockedMs / 20));
  for (let n = 0; n < stanzas && connection.state !== 'closed';) {
    const burst = Array.from({ length: Math.min(BURST, stanzas - n) }, () => stanza(n++, bytes));
    await Promise.all(burst.map(node => connection.send(node).catch(() => {})));
    await new Promise(resolve => setTimeout(resolve, pause));
  }
}

/**
 * @param {Scenario} scenario
 * @returns {Promise<Result>}
 */
export async function stall(scenario) {
  const { backend, line = 'baileys' } = scenario;
  // Baileys 6 loses a stanza that arrives directly after the handshake, before its finishInit has ended.
  const greetingDelayMs = line === 'baileys' ? 0 : 250;
  const server = await MockServer.start({ baileys: line, acceptUnknown: true, record: false, greetingDelayMs });
  const stopClosing = scenario.patient ? () => {} : closeSilent(server, 1.5 * scenario.intervalMs);
  let blocked = false;
  let keepAlives = 0;
  let pongs = 0;
  let answered = false;
  server.on('stanza', ({ direction, node }) => {
    if (blocked && direction === 'in' && node.attrs.xmlns === 'w:p') keepAlives++;
  });
  const child = fork(CLIENT, { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit', 'ipc'], execArgv: FLAGS[backend] });
  try {
    /** @type {Omit<Result, 'keepAlives' | 'pongs' | 'answered'>} */
    const result = await new Promise((resolve, reject) => {
      const limit = setTimeout(() => reject(new Error('the stall does not end')), scenario.blockedMs + 60_000);
      child.once('exit', code => {
        clearTimeout(limit);
        reject(new Error(`the client ended with ${code}`));
      });
      child.on('message', message => {
        const { ready, result, failure } = /** @type {any} */ (message);
        if (failure) reject(new Error(failure));
        const connection = server.connections[server.connections.length - 1];
        if (result?.asked) {
          const asked = connection.query({ tag: 'iq', attrs: { type: 'get', xmlns: 'stall' } });
          asked.then(() => (answered = true)).then(() => resolve(result), reject);
        } else if (result) {
          resolve(result);
        }
        if (!ready) return;
        blocked = true;
        setTimeout(() => (blocked = false), scenario.blockedMs);
        sendAll(connection, scenario).catch(reject);
        if (!scenario.pings) return;
        const pinging = setInterval(() => {
          if (!blocked || connection.state === 'closed') return clearInterval(pinging);
          connection.wsPing().then(
            () => blocked && pongs++,
            () => {}
          );
        }, scenario.intervalMs / 2);
      });
      child.send({ ...scenario, line, url: server.url, ca: server.ca, rootKey: server.rootKey.toString('hex') });
    });
    return { ...result, keepAlives, pongs, answered };
  } finally {
    stopClosing();
    child.kill('SIGKILL');
    await server.stop();
  }
}
