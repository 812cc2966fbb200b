// The clients of a soak test: one process with many clients on one layer. They answer each numbered stanza with its
// number, send queries, and reconnect when their connection is cut.

import { readdirSync } from 'node:fs';
import { Agent } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import * as baileys from 'baileys';
import { NativeSession } from 'baileys-native';
import { trustTestRoot } from 'baileys-native/testing';
import { checkBackend, checkSocket, memoryKeys, pingQuery, silentLogger } from '../shared/bot.mjs';
import { openChannel } from '../shared/channel.mjs';
import { watchPauses } from './pauses.mjs';

const QUERY_TIMEOUT_MS = 30_000;
const QUERY_PAUSE_MS = 2000;
const RECONNECT_MS = 100;
/** After a failed query: the time between the next queries, and their number. An answer proves that there was no cut. */
const PROBE_PAUSE_MS = 1000;
const MAX_PROBES = 30;
/** The number of logins at the same time. */
const CONCURRENT_LOGINS = 10;

/** @param {string} id */
const ping = id => ({ ...pingQuery(), attrs: { ...pingQuery().attrs, id } });
/** @param {number} n */
const answer = n => ({ tag: 'message', attrs: { id: `A${n}`, to: '15550001111@s.whatsapp.net', n: String(n) } });

/** Counters of all clients of this process. */
const counts = { received: 0, repeated: 0, answered: 0, cut: 0, logins: 0 };
/** Faults that the clients have found. @type {string[]} */
const faults = [];
/**
 * Queries that have failed although the connection was not cut.
 *
 * @type {{ id: string, sentAt: number, text: string }[]}
 */
const failedQueries = [];
let lastQuery = 0;
let isStopping = false;
let isQuiet = false;
const pauses = watchPauses();
/** Answers that have arrived after their query had failed: the time by id. @type {Map<string, number>} */
const lateAnswers = new Map();
/** Ids of queries that have failed. @type {Set<string>} */
const failedIds = new Set();

/** @param {any} stanza */
const noteAnswer = ({ attrs }) => {
  if (failedIds.has(attrs.id)) lateAnswers.set(attrs.id, Date.now());
};

/**
 * Checks the numbers of the stanzas of one client. Each must be one greater than the last one. The first one after a cut
 * may be the last one again.
 */
class SequenceCheck {
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

  /** @param {number} n The number of a received stanza. */
  check(n) {
    if (n === this.latest + 1) {
      counts.received++;
      this.latest = n;
    } else if (n === this.latest && this.#wasCut) {
      counts.repeated++;
    } else {
      faults.push(`${this.user}: stanza ${n} after stanza ${this.latest}`);
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
/** All clients share these keys, because it takes long to create keys. */
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
    this.sequence = new SequenceCheck(user);
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
    checkSocket(sock.ws, this.settings.layer);
    this.sock = sock;
    sock.ws.on('CB:iq,type:result', noteAnswer);
    sock.ws.on('CB:relay', ({ attrs }) => {
      this.sequence.check(Number(attrs.n));
      sock.sendNode(answer(Number(attrs.n))).catch(() => {}); // the connection was cut: the server sends the stanza again
    });
    return new Promise((resolve, reject) => {
      sock.ev.on('connection.update', ({ connection, lastDisconnect }) => {
        if (connection === 'open') {
          this.sequence.opened();
          resolve();
        } else if (connection === 'close' && !isStopping) {
          reject(lastDisconnect?.error ?? new Error('closed'));
          if (generation !== this.#generation) return;
          this.sequence.cut();
          setTimeout(() => isStopping || this.connect().catch(() => {}), RECONNECT_MS);
        }
      });
    });
  }

  /** @param {string} id */
  query(id) {
    return this.sock.query(ping(id));
  }

  get emitter() {
    return this.sock.ws;
  }

  close() {
    return this.sock.end(undefined);
  }
}

/** A client with a NativeSession, which reconnects itself. */
class SoakSession {
  /**
   * @param {any} settings
   * @param {string} user
   */
  constructor({ url, rootKey, agent }, user) {
    this.sequence = new SequenceCheck(user);
    this.session = new NativeSession({
      url,
      agent,
      trustedRoot: Buffer.from(rootKey, 'hex'),
      auth: { creds: credentials(user) },
      keepAliveIntervalMs: 10_000,
      reconnect: { baseMs: RECONNECT_MS, maxMs: 1000 }
    });
    this.session.onStanza('CB:iq,type:result', noteAnswer);
    this.session.onStanza('CB:relay', ({ attrs }) => {
      this.sequence.check(Number(attrs.n));
      this.session.sendNode(answer(Number(attrs.n))).catch(() => {}); // the connection was cut: the server sends the stanza again
    });
    this.session.on('reconnecting', () => this.sequence.cut());
    this.session.on('state', ({ to }) => to === 'connected' && this.sequence.opened());
  }

  connect() {
    return this.session.connect();
  }

  /** @param {string} id */
  query(id) {
    return this.session.query(ping(id), { timeoutMs: QUERY_TIMEOUT_MS });
  }

  get emitter() {
    return this.session;
  }

  close() {
    return this.session.close();
  }
}

/** @type {(Bot | SoakSession)[]} */
const clients = [];

/**
 * After a failed query: resolves when the client has noticed a cut, when a later query on the same connection is
 * answered, or after {@link MAX_PROBES}.
 *
 * @param {any} client
 * @param {number} cuts The client's number of cuts at the time of the failed query.
 */
async function probe(client, cuts) {
  for (let left = MAX_PROBES; left > 0; left--) {
    await delay(PROBE_PAUSE_MS, undefined, { ref: false });
    // No query is sent on the next connection: Baileys would send it even during the handshake.
    if (client.sequence.cuts !== cuts || isStopping) return;
    const isAnswered = await client.query(`Q${client.sequence.user}-${++lastQuery}`).then(
      () => true,
      () => false
    );
    if (isAnswered) return;
  }
}

/**
 * Sends queries to the server in a loop.
 *
 * @param {any} client
 */
async function sendQueries(client) {
  while (!isQuiet) {
    await delay(QUERY_PAUSE_MS * (0.5 + Math.random()), undefined, { ref: false });
    // Baileys sends a query also during a handshake, when no answer is possible.
    if (isQuiet || !client.sequence.isOpen) continue;
    const { cuts } = client.sequence;
    const start = performance.now();
    const sentAt = Date.now();
    const id = `Q${client.sequence.user}-${++lastQuery}`;
    try {
      await client.query(id);
      counts.answered++;
    } catch (error) {
      const ms = Math.round(performance.now() - start);
      failedIds.add(id);
      await probe(client, cuts);
      if (!isStopping && client.sequence.cuts === cuts) {
        const answeredAt = lateAnswers.get(id);
        const late =
          answeredAt === undefined ? 'no answer has arrived' : `the answer came after ${answeredAt - sentAt} ms`;
        const text =
          `${client.sequence.user}: a query failed after ${ms} ms, without a cut: ${error?.message}; ${late}; ` +
          `longest pause of the client: ${pauses.longestSince(sentAt)} ms`;
        failedQueries.push({ id, sentAt, text });
      }
      failedIds.delete(id);
      lateAnswers.delete(id);
    }
  }
}

/** Number of listeners of a client. @param {{ emitter: import('node:events').EventEmitter }} client */
const countListeners = ({ emitter }) =>
  emitter.eventNames().reduce((sum, name) => sum + emitter.listenerCount(name), 0);

/** The number of entries in a folder. @param {string} folder */
const countEntries = folder => {
  try {
    return readdirSync(folder).length;
  } catch {
    return NaN; // not Linux
  }
};

openChannel(process, {
  async start({ count, firstUser, layer, url, ca, rootKey }) {
    if (layer !== 'session') await checkBackend(layer);
    trustTestRoot(baileys, Buffer.from(rootKey, 'hex'));
    const settings = { layer, url, rootKey, agent: new Agent({ ca }) };
    let next = 0;
    const worker = async () => {
      while (next < count) {
        const client = new (layer === 'session' ? SoakSession : Bot)(settings, firstUser + next++);
        clients.push(client);
        // If the connection is cut during the login, the client reconnects itself.
        await client.connect().catch(() => {});
        void sendQueries(client);
      }
    };
    await Promise.all(Array.from({ length: CONCURRENT_LOGINS }, worker));
  },

  sample() {
    globalThis.gc?.();
    const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
    return {
      rss,
      heapUsed,
      arrayBuffers,
      descriptors: countEntries('/proc/self/fd'),
      threads: countEntries('/proc/self/task'),
      listeners: Math.max(...clients.map(countListeners)),
      ...counts
    };
  },

  /** From now on no queries are sent. */
  stopQueries() {
    isQuiet = true;
  },

  /** The names of the listeners of the client that has the most. */
  describeListeners() {
    const [most] = clients.sort((a, b) => countListeners(b) - countListeners(a));
    const { emitter } = /** @type {Bot | SoakSession} */ (most);
    return emitter
      .eventNames()
      .map((/** @type {string | symbol} */ name) => `${String(name)} ${emitter.listenerCount(name)}`);
  },

  /** The latest number of each client. */
  stop: async () => {
    isStopping = true;
    const latest = Object.fromEntries(clients.map(({ sequence }) => [sequence.user, sequence.latest]));
    await Promise.race([Promise.all(clients.map(client => client.close())), delay(5000)]);
    return { latest, faults, failedQueries };
  }
});

process.on('unhandledRejection', () => {}); // Baileys causes some when a connection ends during the login
process.on('disconnect', () => process.exit(0));
