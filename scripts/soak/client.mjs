// The clients of a soak test: one process with many clients on one layer. They answer each numbered stanza with its
// number, send queries, and reconnect when their connection is cut.

import { readdirSync } from 'node:fs';
import { Agent } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import * as baileys from 'baileys';
import { NativeSession } from 'baileys-native';
import { trustTestRoot } from 'baileys-native/testing';
import { checkBackend, checkSocket, memoryKeys, silentLogger } from '../shared/bot.mjs';
import { openChannel } from '../shared/channel.mjs';

const QUERY_TIMEOUT_MS = 30_000;
const QUERY_PAUSE_MS = 2000;
const RECONNECT_MS = 100;
/** After a failed query the client must notice a cut connection within this time, in milliseconds. */
const CUT_KNOWN_MS = 2000;
/** The number of logins at the same time. */
const AT_ONCE = 10;

/** @param {string} id */
const ping = id => ({ tag: 'iq', attrs: { id, to: 's.whatsapp.net', type: 'get', xmlns: 'w:p' } });
/** @param {number} n */
const answer = n => ({ tag: 'message', attrs: { id: `A${n}`, to: '15550001111@s.whatsapp.net', n: String(n) } });

/** Counters of all clients of this process. */
const counts = { received: 0, repeated: 0, answered: 0, cut: 0, logins: 0 };
/** Whatever must not happen. @type {string[]} */
const faults = [];
/** Queries that have failed without a cut. @type {{ id: string, askedAt: number, text: string }[]} */
const failedQueries = [];
let lastQuery = 0;
let leaving = false;

/** Checks the numbers of one client: each must be the next one, or after a cut the latest one again. */
class Numbers {
  latest = 0;
  cuts = 0;
  /** Between a login and the next cut. */
  isOpen = false;
  #wasCut = false;

  /** @param {string} user */
  constructor(user) {
    this.user = user;
  }

  opened() {
    counts.logins++;
    this.isOpen = true;
  }

  cut() {
    counts.cut++;
    this.cuts++;
    this.isOpen = false;
    this.#wasCut = true;
  }

  /** @param {number} n */
  see(n) {
    if (n === this.latest + 1) {
      counts.received++;
      this.latest = n;
    } else if (n === this.latest && this.#wasCut) {
      counts.repeated++;
    } else {
      faults.push(`${this.user}: stanza ${n} behind ${this.latest}`);
    }
    this.#wasCut = false;
  }
}

/** @param {string} user */
const credentials = user => ({
  ...shared,
  me: { id: `${user}:1@s.whatsapp.net`, name: 'Soak' },
  registered: true,
  accountSyncCounter: 1
});
/** Keys that all clients share: to create keys takes long. */
const shared = baileys.initAuthCreds();

/** A client with `makeWASocket`, which creates a new socket after each cut. */
class Bot {
  #keys = memoryKeys();
  #generation = 0;
  /** @type {any} */
  sock;

  /**
   * @param {any} settings
   * @param {string} user
   */
  constructor(settings, user) {
    this.settings = settings;
    this.user = user;
    this.creds = credentials(user);
    this.numbers = new Numbers(user);
  }

  /** @returns {Promise<void>} */
  connect() {
    const generation = ++this.#generation;
    const sock = baileys.makeWASocket({
      waWebSocketUrl: this.settings.url,
      agent: this.settings.agent,
      auth: { creds: this.creds, keys: this.#keys },
      logger: silentLogger(),
      defaultQueryTimeoutMs: QUERY_TIMEOUT_MS,
      keepAliveIntervalMs: 10_000
    });
    checkSocket(sock.ws, this.settings.backend);
    this.sock = sock;
    sock.ws.on('CB:relay', ({ attrs }) => {
      this.numbers.see(Number(attrs.n));
      sock.sendNode(answer(Number(attrs.n))).catch(() => {}); // cut meanwhile: the server repeats it
    });
    return new Promise((resolve, reject) => {
      sock.ev.on('connection.update', ({ connection, lastDisconnect }) => {
        if (connection === 'open') {
          this.numbers.opened();
          resolve();
        } else if (connection === 'close' && !leaving) {
          reject(lastDisconnect?.error ?? new Error('closed'));
          if (generation !== this.#generation) return;
          this.numbers.cut();
          setTimeout(() => leaving || this.connect().catch(() => {}), RECONNECT_MS);
        }
      });
    });
  }

  /** @param {string} id */
  query(id) {
    return this.sock.query(ping(id));
  }

  get listeners() {
    const { ws } = this.sock;
    return ws
      .eventNames()
      .reduce((/** @type {number} */ sum, /** @type {string} */ name) => sum + ws.listenerCount(name), 0);
  }

  close() {
    return this.sock.end(undefined);
  }
}

/** A client with a NativeSession, which reconnects itself. */
class Session {
  /**
   * @param {any} settings
   * @param {string} user
   */
  constructor({ url, rootKey, agent }, user) {
    this.numbers = new Numbers(user);
    this.session = new NativeSession({
      url,
      agent,
      trustedRoot: Buffer.from(rootKey, 'hex'),
      auth: { creds: credentials(user) },
      keepAliveIntervalMs: 10_000,
      reconnect: { baseMs: RECONNECT_MS, maxMs: 1000 }
    });
    this.session.onStanza('CB:relay', ({ attrs }) => {
      this.numbers.see(Number(attrs.n));
      this.session.sendNode(answer(Number(attrs.n))).catch(() => {}); // cut meanwhile: the server repeats it
    });
    this.session.on('reconnecting', () => this.numbers.cut());
    this.session.on('state', ({ to }) => to === 'connected' && this.numbers.opened());
  }

  connect() {
    return this.session.connect();
  }

  /** @param {string} id */
  query(id) {
    return this.session.query(ping(id), { timeoutMs: QUERY_TIMEOUT_MS });
  }

  get listeners() {
    return this.session.eventNames().reduce((sum, name) => sum + this.session.listenerCount(name), 0);
  }

  close() {
    return this.session.close();
  }
}

/** @type {(Bot | Session)[]} */
const clients = [];

/**
 * Sends queries to the server in a loop.
 *
 * @param {any} client
 */
async function keepAsking(client) {
  while (!leaving) {
    await delay(QUERY_PAUSE_MS * (0.5 + Math.random()), undefined, { ref: false });
    // Baileys would send a query even during a handshake.
    if (leaving || !client.numbers.isOpen) continue;
    const { cuts } = client.numbers;
    const start = performance.now();
    const askedAt = Date.now();
    const id = `Q${client.numbers.user}-${++lastQuery}`;
    try {
      await client.query(id);
      counts.answered++;
    } catch (error) {
      const ms = Math.round(performance.now() - start);
      await delay(CUT_KNOWN_MS, undefined, { ref: false });
      if (!leaving && client.numbers.cuts === cuts) {
        const text = `${client.numbers.user}: a query failed after ${ms} ms, without a cut: ${error?.message}`;
        failedQueries.push({ id, askedAt, text });
      }
    }
  }
}

/** @param {string} folder */
const numberOf = folder => {
  try {
    return readdirSync(folder).length;
  } catch {
    return NaN; // not Linux
  }
};

openChannel(process, {
  async start({ count, firstUser, backend, url, ca, rootKey }) {
    if (backend !== 'session') await checkBackend(backend);
    trustTestRoot(baileys, Buffer.from(rootKey, 'hex'));
    const settings = { backend, url, rootKey, agent: new Agent({ ca }) };
    let next = 0;
    const worker = async () => {
      while (next < count) {
        const client = new (backend === 'session' ? Session : Bot)(settings, firstUser + next++);
        clients.push(client);
        // The connection was cut during the login: the client reconnects itself.
        await client.connect().catch(() => {});
        void keepAsking(client);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  },

  sample() {
    globalThis.gc?.();
    return {
      rss: process.memoryUsage.rss(),
      descriptors: numberOf('/proc/self/fd'),
      threads: numberOf('/proc/self/task'),
      listeners: Math.max(...clients.map(client => client.listeners)),
      ...counts
    };
  },

  /** The latest number of each client. */
  stop: async () => {
    leaving = true;
    const latest = Object.fromEntries(clients.map(({ numbers }) => [numbers.user, numbers.latest]));
    await Promise.race([Promise.all(clients.map(client => client.close())), delay(5000)]);
    return { latest, faults, failedQueries };
  }
});

process.on('unhandledRejection', () => {}); // Baileys causes some when a connection ends early
process.on('disconnect', () => process.exit(0));
