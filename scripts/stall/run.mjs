/**
 * Tests a blocked event loop: a client connects and blocks its event loop while the server sends stanzas. The server
 * closes a connection that sends nothing for 1.5 keep-alive intervals.
 *
 * The client cannot send messages to this process while it is blocked. So both use files: the client creates one when it
 * is blocked, and is blocked until this process creates another one. No result depends on the speed of the machine, except
 * that a client that must not be silent must run often enough.
 */

import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises';
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
 * @property {number} [silenceMs] The server closes a connection that sends nothing for this time. Default: 1.5 intervals.
 * @property {boolean} [pings] Whether the server sends WebSocket pings during the block.
 * @property {number} intervalMs The keep-alive interval of the client.
 * @property {number} blockedMs The least duration of the block.
 * @property {number} [leastAnswers] While the connection is open, the block lasts until the server has got this number of
 *   keep-alive queries and, with `pings`, of pongs.
 * @property {number} stanzas
 * @property {number} [bytes] The length of the content of each stanza.
 *
 * @typedef {{ blocked: string, release: string }} BlockFiles The paths of files: the client is blocked; its block ends.
 *
 * @typedef {StallScenario & { packageName: string, url: string, ca: string, rootKey: string, files: BlockFiles }}
 *   StallSettings
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
const EXTRA_MS = 120_000;

/** The time between two looks at the state of a block, in milliseconds. */
const POLL_MS = 5;

/** Time limit of a query to the client, in milliseconds. */
const QUERY_MS = 60_000;

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
 * Closes a connection when it has sent nothing for `ms` milliseconds.
 *
 * @param {import('baileys-native/testing').Connection} connection
 * @param {number} ms
 */
function closeIfSilent(connection, ms) {
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  let heard = 0;
  let dueAt = Infinity;
  const hear = () => {
    const before = ++heard;
    dueAt = performance.now() + ms;
    clearTimeout(timer);
    // Data that arrived in time counts, also if this busy process has not read it yet.
    const check = () => setImmediate(() => heard === before && connection.drop());
    timer = setTimeout(() => setImmediate(check), ms);
  };
  hear();
  return {
    /** Call it for each stanza of the connection. */
    hear,
    /** Whether the connection is not closed although it was silent for too long. */
    isOverdue: () => performance.now() >= dueAt && connection.state !== 'closed',
    stop: () => clearTimeout(timer)
  };
}

/**
 * Sends the stanzas in bursts during nine tenths of the time. Stops if the connection ends.
 *
 * @param {import('baileys-native/testing').Connection} connection
 * @param {StallScenario} scenario
 */
async function sendAll(connection, { stanzas, blockedMs, bytes }) {
  const pauseMs = (blockedMs * 0.9) / Math.ceil(stanzas / BURST);
  for (let n = 0; n < stanzas && connection.state !== 'closed';) {
    const burst = Array.from({ length: Math.min(BURST, stanzas - n) }, () => stanza(n++, bytes));
    await Promise.all(burst.map(node => connection.send(node).catch(() => {})));
    await delay(pauseMs);
  }
}

/** @param {() => boolean} condition */
async function until(condition) {
  while (!condition()) await delay(POLL_MS);
}

/** The server's side of a block. */
class Block {
  /** Keep-alive queries that the server got while the client was blocked. */
  keepAlives = 0;
  /** Pongs that the server got in this time. */
  pongs = 0;
  #isOn = false;
  #scenario;
  #connection;
  #files;
  /** @type {ReturnType<typeof closeIfSilent> | undefined} */
  #silence;

  /**
   * @param {StallScenario} scenario
   * @param {import('baileys-native/testing').Connection} connection
   * @param {BlockFiles} files
   */
  constructor(scenario, connection, files) {
    this.#scenario = scenario;
    this.#connection = connection;
    this.#files = files;
  }

  /** Call it for each stanza of the client. @param {{ attrs: Record<string, string> }} node */
  received({ attrs }) {
    this.#silence?.hear();
    if (this.#isOn && attrs.xmlns === 'w:p') this.keepAlives++;
  }

  /** From the time when the client is blocked until its block ends. */
  async run() {
    const { layer, blockedMs, leastAnswers = 0, pings, toleratesSilence } = this.#scenario;
    const { intervalMs, silenceMs = 1.5 * intervalMs } = this.#scenario;
    const connection = this.#connection;
    const isClosed = () => connection.state === 'closed';
    await until(() => existsSync(this.#files.blocked) || isClosed());
    if (!toleratesSilence) this.#silence = closeIfSilent(connection, silenceMs);
    // What the client has written before does not count. JavaScript has written it before it was blocked, so it can be
    // read now. A pong follows what the addon has written.
    if (layer === 'js') for (let n = 0; n < 3; n++) await turn();
    else await connection.wsPing().catch(() => {});
    this.#isOn = true;
    void sendAll(connection, this.#scenario);
    const pinging = pings ? setInterval(() => this.#ping(), intervalMs / 2) : undefined;
    await delay(blockedMs);
    const isAnswered = () => this.keepAlives >= leastAnswers && (!pings || this.pongs >= leastAnswers);
    await until(() => isClosed() || (isAnswered() && !this.#silence?.isOverdue()));
    clearInterval(pinging);
    this.#silence?.stop();
    this.#isOn = false;
    writeFileSync(this.#files.release, '');
  }

  #ping() {
    if (this.#connection.state === 'closed') return;
    this.#connection.wsPing().then(
      () => this.#isOn && this.pongs++,
      () => {}
    );
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
  const folder = mkdtempSync(join(tmpdir(), 'baileys-native-stall-'));
  const files = { blocked: join(folder, 'blocked'), release: join(folder, 'release') };
  const latest = () => server.connections[server.connections.length - 1];
  /** @type {Block | undefined} */
  let block;
  let over = Promise.resolve();
  server.on('stanza', ({ direction, node }, connection) => {
    if (direction !== 'in') return;
    block?.received(node);
    if (node.tag !== BLOCKS) return;
    block = new Block(scenario, connection, files);
    over = block.run();
  });
  const services = {
    /** Sends a query to the client. Resolves with whether it was answered. */
    queryClient: () =>
      latest()
        .query({ tag: 'iq', attrs: { type: 'get', xmlns: 'stall' } }, { timeoutMs: QUERY_MS })
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
        rootKey: server.rootKey.toString('hex'),
        files
      },
      timeoutMs: scenario.blockedMs + EXTRA_MS
    });
    return { ...result, keepAlives: block?.keepAlives ?? 0, pongs: block?.pongs ?? 0 };
  } finally {
    await server.stop();
    await over;
    rmSync(folder, { recursive: true, force: true });
  }
}
