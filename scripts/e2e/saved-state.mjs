// Credentials and keys as a bot saves them: every value goes through JSON, and a new connection starts from that alone.

import * as baileys from 'baileys';

/** @param {unknown} value */
const toJson = value => JSON.stringify(value, baileys.BufferJSON.replacer);
/** @param {string} text */
const fromJson = text => JSON.parse(text, baileys.BufferJSON.reviver);

export class SavedState {
  /** A history sync is noted as done: nobody waits for one. */
  #creds = toJson({ ...baileys.initAuthCreds(), accountSyncCounter: 1 });
  /** @type {Map<string, string>} */
  #keys = new Map();

  /** @returns {import('baileys').AuthenticationState} What Baileys' `auth` option takes. */
  load() {
    const keys = this.#keys;
    return {
      creds: fromJson(this.#creds),
      keys: {
        get: async (type, ids) =>
          Object.fromEntries(
            ids.flatMap(id => {
              const text = keys.get(`${type}:${id}`);
              return text === undefined ? [] : [[id, fromJson(text)]];
            })
          ),
        set: async data => {
          for (const [type, values] of Object.entries(data)) {
            for (const [id, value] of Object.entries(values)) {
              if (value === null || value === undefined) keys.delete(`${type}:${id}`);
              else keys.set(`${type}:${id}`, toJson(value));
            }
          }
        }
      }
    };
  }

  /** @param {Partial<import('baileys').AuthenticationCreds>} update */
  save(update) {
    this.#creds = toJson({ ...fromJson(this.#creds), ...update });
  }
}
