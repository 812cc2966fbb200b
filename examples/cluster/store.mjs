// The data of sessions in Redis: credentials, Signal keys, and the streams of work and events. Each write has the token
// of the slot's owner. It is refused if an owner with a larger token has used the slot. So a node that was frozen
// cannot change anything after another node has taken its slots.

import { createHash } from 'node:crypto';
import { fromJson, toJson } from './json.mjs';
import { SignalKeys } from './signal-keys.mjs';

/** @import { Redis } from 'ioredis' */
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
  await redis.hset(`${prefix}sessions:${slotOf(session, slots)}`, session, toJson({ creds }));
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
    for (let i = 0; i < fields.length; i += 2) sessions.set(fields[i], fromJson(fields[i + 1]));
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
        void (await this.#redis.saveSession(fence, sessions, this.#slot, this.#token, session, toJson(stored)))
    };
  }

  /**
   * Writes Signal keys and events, and finishes an entry of the work, in one round trip: all of them or none.
   *
   * @param {string} session
   * @param {{ keys?: [field: string, json: string | null][], events?: object[], done?: string }} changes
   */
  async commit(session, { keys = [], events = [], done = '' }) {
    const fields = keys.flatMap(([field, json]) => [field, json ?? '']);
    const texts = events.map(event => toJson({ session, ...event }));
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
    for (const { node } of stanzas) pipeline.xadd(this.workKey, '*', 'session', session, 'node', toJson(node));
    await pipeline.exec();
  }

  /**
   * The Signal keys of a session.
   *
   * @param {string} session
   */
  signalKeys(session) {
    return new SignalKeys({
      read: fields => this.#redis.hmget(this.#key(`keys:${session}`), ...fields),
      commit: changes => this.commit(session, changes)
    });
  }
}
