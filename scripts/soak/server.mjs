// The server of a soak test. It sends one numbered stanza to each user, and the next one when the number has come back.
// It also cuts connections.

import { MockServer } from 'baileys-native/testing';

/** @import { Connection, Device } from '../../js/testing/index.mjs' */

/** Pause between an answer and the next stanza, in milliseconds. */
const PAUSE_MS = 200;
/** So many of the latest queries are remembered. */
const REMEMBERED = 50_000;

export class SoakServer {
  #server;
  /** The latest number that each user has answered. @type {Map<string, number>} */
  answered = new Map();
  /** @type {string[]} */
  faults = [];
  cuts = 0;
  /** When each of the latest queries was read, by its id. @type {Map<string, number>} */
  #queries = new Map();
  /** @type {NodeJS.Timeout | undefined} */
  #cutter;
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
      if (this.#queries.size > REMEMBERED) this.#queries.delete(/** @type {any} */ (this.#queries.keys().next().value));
      return undefined; // the default answer
    });
  }

  /** What became of a query here, in words. @param {string} id @param {number} askedAt */
  fateOf(id, askedAt) {
    const readAt = this.#queries.get(id);
    return readAt === undefined
      ? 'the server has not read it'
      : `the server has read and answered it ${readAt - askedAt} ms after it was asked`;
  }

  get address() {
    const { url, ca, rootKey } = this.#server;
    return { url, ca, rootKey: rootKey.toString('hex') };
  }

  /**
   * Cuts one connection every `ms` milliseconds, alternately by FIN and RST.
   *
   * @param {number} ms
   */
  cutEach(ms) {
    this.#cutter = setInterval(() => {
      const open = this.#server.connections.filter(({ state }) => state === 'open' || state === 'login');
      if (open.length === 0) return;
      open[Math.floor(Math.random() * open.length)].drop({ reset: ++this.cuts % 2 === 0 });
    }, ms);
  }

  /** Stops cutting connections and sending stanzas. Stanzas that were sent are still answered. */
  settle() {
    clearInterval(this.#cutter);
    this.#stopping = true;
  }

  stop() {
    return this.#server.stop();
  }

  /** @param {Connection} connection */
  #send(connection) {
    const { user } = /** @type {Device} */ (connection.device);
    const n = (this.answered.get(user) ?? 0) + 1;
    const stanza = { tag: 'relay', attrs: { id: `R${n}`, n: String(n) }, content: Buffer.alloc(160, n) };
    connection.send(stanza).catch(() => {}); // cut meanwhile: it is sent again behind the next login
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
    if (n !== latest + 1) this.faults.push(`${user}: answer ${n} behind ${latest}`);
    this.answered.set(user, n);
    if (this.#stopping) return;
    setTimeout(() => connection.isWritable && !this.#stopping && this.#send(connection), PAUSE_MS).unref();
  }
}
