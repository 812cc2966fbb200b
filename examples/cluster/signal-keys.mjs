// The Signal keys of a session, with transactions. The changes of a transaction are written in one round trip: all of
// them or none.
//
// This replaces Baileys' `addTransactionCapability`, which finds its transaction by AsyncLocalStorage. In a process with
// many sessions that is not safe: libsignal has one queue of jobs for each address, for all sessions of the process, and
// runs a job in the asynchronous context of the first job of its queue. If two sessions write to the same device at the
// same time, the keys of one of them are written outside of its transaction.

import { fromJson, toJson } from './json.mjs';

/** @typedef {Record<string, Record<string, any>>} Keys Signal keys by type and id; null deletes a key. */

/** The most keys of a session in memory. Only the owner changes them, so the memory is never out of date. */
const CACHED_KEYS = 1_000;

export class SignalKeys {
  #read;
  #commit;
  /** The JSON of keys by field; undefined if the store has no such key. @type {Map<string, string | undefined>} */
  #cache = new Map();
  /** The changes of the current transaction, by field; null deletes a key. @type {Map<string, string | null> | undefined} */
  #changes;
  /** @type {object[]} */
  #events = [];
  /** Resolves when all transactions that were started have ended. */
  #last = Promise.resolve();
  #hasFailedRead = false;

  /**
   * @param {object} store
   * @param {(fields: string[]) => Promise<(string | null)[]>} store.read Reads the JSON of keys.
   * @param {(changes: { keys: [field: string, json: string | null][], events: object[] }) => Promise<void>} store.commit
   *   Writes keys and events, all or none; null deletes a key.
   */
  constructor({ read, commit }) {
    this.#read = read;
    this.#commit = commit;
  }

  /**
   * Runs `work`, then writes its changes and events. If `work` fails, nothing is written. Transactions run one after
   * another.
   *
   * @template Result
   * @param {() => Promise<Result>} work
   * @returns {Promise<Result>}
   */
  exclusively(work) {
    const run = this.#last.then(() => this.#run(work));
    this.#last = run.then(
      () => {},
      () => {}
    );
    return run;
  }

  /** @template Result @param {() => Promise<Result>} work */
  async #run(work) {
    this.#changes = new Map();
    this.#events = [];
    this.#hasFailedRead = false;
    try {
      const result = await work();
      // Baileys reports a failed read of keys as a message that cannot be decrypted.
      if (this.#hasFailedRead) throw new Error('keys could not be read');
      await this.#write([...this.#changes], this.#events);
      return result;
    } finally {
      this.#changes = undefined;
    }
  }

  /** @param {[string, string | null][]} keys @param {object[]} events */
  async #write(keys, events) {
    if (keys.length === 0 && events.length === 0) return;
    try {
      await this.#commit({ keys, events });
    } catch (error) {
      // It is unknown whether the keys were written.
      this.#cache.clear();
      throw error;
    }
    for (const [field, json] of keys) this.#remember(field, json ?? undefined);
  }

  /** @param {string} field @param {string | undefined} json */
  #remember(field, json) {
    this.#cache.delete(field);
    this.#cache.set(field, json);
    const [oldest] = this.#cache.keys();
    if (this.#cache.size > CACHED_KEYS && oldest !== undefined) this.#cache.delete(oldest);
  }

  get #current() {
    if (this.#changes === undefined) throw new Error('Signal keys are used outside of a transaction');
    return this.#changes;
  }

  /** Adds an event that is written together with the changes of the current transaction. @param {object} event */
  addEvent(event) {
    this.#events.push(event);
  }

  // The functions of Baileys' key store. Baileys also calls them without the object.

  isInTransaction = () => this.#changes !== undefined;

  /** @type {<Result>(work: () => Promise<Result>) => Promise<Result>} */
  transaction = async work => {
    void this.#current; // throws outside of a transaction
    return work();
  };

  /** @param {string} type @param {string[]} ids */
  get = async (type, ids) => {
    const changes = this.#current;
    const fields = ids.map(id => `${type}:${id}`);
    const unknown = fields.filter(field => !changes.has(field) && !this.#cache.has(field));
    if (unknown.length > 0) {
      const found = await this.#read(unknown).catch(error => {
        this.#hasFailedRead = true;
        throw error;
      });
      unknown.forEach((field, i) => this.#remember(field, found[i] ?? undefined));
    }
    /** @type {Record<string, any>} */
    const keys = {};
    ids.forEach((id, i) => {
      const field = fields[i] ?? '';
      const json = changes.has(field) ? changes.get(field) : this.#cache.get(field);
      // A new object for each call, because callers change it.
      if (json !== null && json !== undefined) keys[id] = fromJson(json);
    });
    return keys;
  };

  /** @param {Keys} keys */
  set = async keys => {
    const changes = this.#current;
    for (const [type, byId] of Object.entries(keys)) {
      for (const [id, key] of Object.entries(byId)) {
        changes.set(`${type}:${id}`, key === null || key === undefined ? null : toJson(key));
      }
    }
  };
}
