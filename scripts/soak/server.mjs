// The server of a soak test. It sends one numbered stanza to each user, and the next one when the client has answered
// with the number. It also cuts connections.

import { MockServer } from 'baileys-native/testing';
import { watchPauses } from './pauses.mjs';

/** @import { Connection, Device } from '../../js/testing/index.mjs' */

/** Pause between an answer and the next stanza, in milliseconds. */
const PAUSE_MS = 200;
/** The number of queries whose times are kept. */
const MAX_QUERIES = 50_000;

export class SoakServer {
  #server;
  /** The latest number that each user has answered. @type {Map<string, number>} */
  answered = new Map();
  /** The latest number that was sent to each user. @type {Map<string, number>} */
  #sent = new Map();
  #pauses = watchPauses();
  /** @type {string[]} */
  faults = [];
  cuts = 0;
  /**
   * For each of the latest queries: its id, and the time at which the server has read it.
   *
   * @type {Map<string, number>}
   */
  #queries = new Map();
  /** @type {NodeJS.Timeout | undefined} */
  #cutTimer;
  #stopping = false;

  static async start() {
    const options = { acceptUnknown: true, record: false, preKeyCount: 100, greetingDelayMs: 0 };
    return new SoakServer(await MockServer.start(options));
  }

  /** @private Use {@link SoakServer.start}. @param {MockServer} server */
  constructor(server) {
    this.#server = server;
    server.on('failure', error => this.faults.push(`the server: ${error.message}`));
    server.on('login', connection => this.#send(connection));
    server.handle('message', (node, connection) => {
      this.#onAnswer(Number(node.attrs.n), connection);
      return [];
    });
    server.handle({ xmlns: 'w:p' }, ({ attrs }) => {
      this.#queries.set(attrs.id, Date.now());
      if (this.#queries.size > MAX_QUERIES)
        this.#queries.delete(/** @type {any} */ (this.#queries.keys().next().value));
      return undefined; // the default answer
    });
  }

  /** Describes what the server has done with a query. @param {string} id @param {number} sentAt */
  describeQuery(id, sentAt) {
    const readAt = this.#queries.get(id);
    const read =
      readAt === undefined
        ? 'the server has not read it'
        : `the server has read and answered it ${readAt - sentAt} ms after it was sent`;
    return `${read}; longest pause of the server: ${this.#pauses.longestSince(sentAt)} ms`;
  }

  /** The number of answered stanzas. */
  get answers() {
    return [...this.answered.values()].reduce((sum, n) => sum + n, 0);
  }

  /** Whether every user is connected and has answered its latest stanza. After the traffic has ended, this is final. */
  get isSettled() {
    const open = this.#server.connections.filter(({ state }) => state === 'open').map(({ device }) => device?.user);
    const users = new Set(open);
    return [...this.#sent].every(([user, n]) => users.has(user) && this.answered.get(user) === n);
  }

  get address() {
    const { url, ca, rootKey } = this.#server;
    return { url, ca, rootKey: rootKey.toString('hex') };
  }

  /**
   * Cuts a random connection every `ms` milliseconds, alternately by FIN and RST.
   *
   * @param {number} ms
   */
  startCutting(ms) {
    this.#cutTimer = setInterval(() => {
      const open = this.#server.connections.filter(({ state }) => state === 'open' || state === 'login');
      if (open.length === 0) return;
      open[Math.floor(Math.random() * open.length)].drop({ reset: ++this.cuts % 2 === 0 });
    }, ms);
  }

  /** Stops cutting connections and sending stanzas. Clients still answer the stanzas that were sent. */
  stopTraffic() {
    clearInterval(this.#cutTimer);
    this.#stopping = true;
  }

  stop() {
    return this.#server.stop();
  }

  /** @param {Connection} connection */
  #send(connection) {
    const { user } = /** @type {Device} */ (connection.device);
    const n = (this.answered.get(user) ?? 0) + 1;
    this.#sent.set(user, n);
    const stanza = { tag: 'relay', attrs: { id: `R${n}`, n: String(n) }, content: Buffer.alloc(160, n) };
    connection.send(stanza).catch(() => {}); // the connection was cut: the stanza is sent again after the next login
  }

  /**
   * @param {number} n
   * @param {Connection} connection
   */
  #onAnswer(n, connection) {
    const { user } = /** @type {Device} */ (connection.device);
    const latest = this.answered.get(user) ?? 0;
    // After a cut the same answer can arrive twice. The repeated one is ignored.
    if (n === latest) return;
    if (n !== latest + 1) this.faults.push(`${user}: answer ${n} after answer ${latest}`);
    this.answered.set(user, n);
    if (this.#stopping) return;
    setTimeout(() => connection.isWritable && !this.#stopping && this.#send(connection), PAUSE_MS).unref();
  }
}
