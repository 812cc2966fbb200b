// The data of sessions in Redis: credentials, Signal keys, and the streams of work and events. Each write has the token
// of the slot's owner. It is refused if an owner with a larger token has used the slot. So a node that was frozen
// cannot change anything after another node has taken its slots.

import { createHash } from 'node:crypto';
import { BufferJSON } from 'baileys';

/** @import { Redis } from 'ioredis' */
/** @typedef {Record<string, Record<string, any>>} Keys Signal keys by type and id; null deletes a key. */
/** @typedef {{ prefix: string, slots: number }} Place */

/**
 * Compares the token with the largest one, and stores it. KEYS[1]: the largest token of each slot. ARGV: slot, token.
 */
const FENCE = `
local seen = tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or '0')
if seen > tonumber(ARGV[2]) then return redis.error_reply('FENCED slot ' .. ARGV[1] .. ' has another owner') end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
`;

/** Returns the sessions of a slot. KEYS[2]: the sessions of the slot. */
const LOAD = `${FENCE} return redis.call('HGETALL', KEYS[2])`;

/** Saves the credentials of a session. KEYS[2]: the sessions of the slot. Further ARGV: session, its JSON. */
const SAVE = `${FENCE} return redis.call('HSET', KEYS[2], ARGV[3], ARGV[4])`;

/**
 * Writes all changes of one transaction. Further KEYS: the Signal keys of the session, the events, the work of the
 * slot. Further ARGV: the entry of the work that is finished or "", the number of events to keep, the number of new
 * events, their JSON, then pairs of a key's field and its JSON; "" deletes the field.
 */
const COMMIT = `${FENCE}
local done, most, events = ARGV[3], ARGV[4], tonumber(ARGV[5])
for place = 6, 5 + events do redis.call('XADD', KEYS[3], 'MAXLEN', '~', most, '*', 'event', ARGV[place]) end
for place = 6 + events, #ARGV, 2 do
  if ARGV[place + 1] == '' then redis.call('HDEL', KEYS[2], ARGV[place])
  else redis.call('HSET', KEYS[2], ARGV[place], ARGV[place + 1]) end
end
if done ~= '' then
  redis.call('XACK', KEYS[4], 'owners', done)
  redis.call('XDEL', KEYS[4], done)
end
`;

/** The most Signal keys of a session in memory. Only the owner changes them, so the memory is never out of date. */
const CACHED_KEYS = 1_000;

/** @param {unknown} value */
const text = value => JSON.stringify(value, BufferJSON.replacer);
/** @param {string} json */
const value = json => JSON.parse(json, BufferJSON.reviver);

/**
 * The slot of a session.
 *
 * @param {string} session
 * @param {number} slots
 */
export function slotOf(session, slots) {
  return createHash('sha1').update(session).digest().readUInt32BE() % slots;
}

/**
 * Adds the scripts of this module to a client.
 *
 * @param {Redis} redis
 */
export function withScripts(redis) {
  redis.defineCommand('loadSlot', { numberOfKeys: 2, lua: LOAD });
  redis.defineCommand('saveSession', { numberOfKeys: 2, lua: SAVE });
  redis.defineCommand('commit', { numberOfKeys: 4, lua: COMMIT });
  return redis;
}

/**
 * Adds a session with these credentials. A node connects it when it takes the slot of the session the next time.
 *
 * @param {Redis} redis
 * @param {Place} place
 * @param {string} session
 * @param {object} creds
 */
export async function addSession(redis, { prefix, slots }, session, creds) {
  await redis.hset(`${prefix}sessions:${slotOf(session, slots)}`, session, text({ creds }));
}

/**
 * Adds a text that a session must send to the stream of its slot. `id` is the id of the message, also in the event
 * about it.
 *
 * @param {Redis} redis
 * @param {Place} place
 * @param {{ session: string, to: string, message: string, id: string }} work
 */
export function addWork(redis, { prefix, slots }, { session, to, message, id }) {
  const fields = ['session', session, 'id', id, 'to', to, 'message', message];
  return redis.xadd(`${prefix}work:${slotOf(session, slots)}`, '*', ...fields);
}

/**
 * Whether Redis refused a write because the slot has another owner.
 *
 * @param {any} error
 */
export const isFenced = error => /^FENCED/.test(error?.message) || /^FENCED/.test(error?.cause?.message);

/** The data of a slot, for one owner. */
export class SlotStore {
  #redis;
  #settings;
  #slot;
  #token;

  /**
   * @param {any} redis A client with the scripts, see {@link withScripts}.
   * @param {typeof import('./settings.mjs').settings} settings
   * @param {{ slot: number, token: number }} owned
   */
  constructor(redis, settings, { slot, token }) {
    this.#redis = redis;
    this.#settings = settings;
    this.#slot = slot;
    this.#token = token;
  }

  /** @param {string} name */
  #key(name) {
    return `${this.#settings.prefix}${name}`;
  }

  get workKey() {
    return this.#key(`work:${this.#slot}`);
  }

  /**
   * Returns all sessions of the slot with their credentials, in one round trip. From now on earlier owners cannot
   * write.
   */
  async load() {
    const fields = await this.#redis.loadSlot(
      this.#key('fence'),
      this.#key(`sessions:${this.#slot}`),
      this.#slot,
      this.#token
    );
    const sessions = new Map();
    for (let i = 0; i < fields.length; i += 2) sessions.set(fields[i], value(fields[i + 1]));
    return sessions;
  }

  /**
   * The store of a session's credentials, for `NativeSession.fromStore`.
   *
   * @param {string} session
   * @param {any} stored
   */
  credentials(session, stored) {
    const [fence, sessions] = [this.#key('fence'), this.#key(`sessions:${this.#slot}`)];
    return {
      load: async () => stored,
      /** @param {any} stored */
      save: async stored =>
        void (await this.#redis.saveSession(fence, sessions, this.#slot, this.#token, session, text(stored)))
    };
  }

  /**
   * Writes the changes of a transaction in one round trip: all of them or none.
   *
   * @param {string} session
   * @param {{ keys?: Keys, events?: object[], done?: string }} changes
   */
  async commit(session, { keys = {}, events = [], done = '' }) {
    const fields = Object.entries(keys).flatMap(([type, byId]) =>
      Object.entries(byId).flatMap(([id, key]) => [`${type}:${id}`, key === null || key === undefined ? '' : text(key)])
    );
    const texts = events.map(event => text({ session, ...event }));
    const names = [this.#key('fence'), this.#key(`keys:${session}`), this.#key('events'), this.workKey];
    const { eventsKept } = this.#settings;
    await this.#redis.commit(...names, this.#slot, this.#token, done, eventsKept, texts.length, ...texts, ...fields);
  }

  /**
   * Adds stanzas that a session has accepted but not sent as work for the next owner.
   *
   * @param {string} session
   * @param {{ node: object }[]} stanzas
   */
  async addUnsent(session, stanzas) {
    const pipeline = this.#redis.pipeline();
    for (const { node } of stanzas) pipeline.xadd(this.workKey, '*', 'session', session, 'node', text(node));
    await pipeline.exec();
  }

  /**
   * The store of a session's Signal keys, for Baileys' `addTransactionCapability`. An event that is passed to
   * `withNextCommit` is written together with the next change of keys, or by `flush`.
   *
   * @param {string} session
   */
  signalKeys(session) {
    /** @param {string[]} fields */
    const read = fields => this.#redis.hmget(this.#key(`keys:${session}`), ...fields);
    /** @param {{ keys?: Keys, events?: object[] }} changes */
    const commit = changes => this.commit(session, changes);
    const cache = new Map();
    /**
     * @param {string} field
     * @param {any} key
     */
    const remember = (field, key) => {
      cache.delete(field);
      cache.set(field, key);
      if (cache.size > CACHED_KEYS) cache.delete(cache.keys().next().value);
    };
    /** @type {object[]} */
    const events = [];
    return {
      /** The number of reads that have failed. Baileys reports such a failure as a message that cannot be decrypted. */
      failedReads: 0,
      /**
       * @param {string} type
       * @param {string[]} ids
       */
      async get(type, ids) {
        const unknown = ids.filter(id => !cache.has(`${type}:${id}`));
        if (unknown.length > 0) {
          const found = await read(unknown.map(id => `${type}:${id}`)).catch((/** @type {unknown} */ error) => {
            this.failedReads += 1;
            throw error;
          });
          unknown.forEach((id, i) => remember(`${type}:${id}`, found[i] === null ? undefined : found[i]));
        }
        const entries = ids.map(id => [id, cache.get(`${type}:${id}`)]).filter(([, json]) => json !== undefined);
        // A new object for each call, because callers change it.
        return Object.fromEntries(entries.map(([id, json]) => [id, value(json)]));
      },
      /** @param {Keys} keys */
      async set(keys) {
        try {
          await commit({ keys, events: events.splice(0) });
        } catch (error) {
          // It is unknown whether the keys were written.
          cache.clear();
          throw error;
        }
        for (const [type, byId] of Object.entries(keys)) {
          for (const [id, key] of Object.entries(byId)) {
            remember(`${type}:${id}`, key === null || key === undefined ? undefined : text(key));
          }
        }
      },
      /** @param {object} event */
      withNextCommit: event => void events.push(event),
      flush: async () => events.length > 0 && commit({ events: events.splice(0) })
    };
  }
}

export { text as toJson, value as fromJson };
