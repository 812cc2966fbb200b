// Credentials and keys as a bot saves them: every value goes through JSON, and a new connection starts from that alone.

export class SavedState {
  #baileys;
  #creds;
  /** @type {Map<string, string>} */
  #keys = new Map();

  /** @param {typeof import('baileys')} baileys */
  constructor(baileys) {
    this.#baileys = baileys;
    // A history sync is noted as done, and keys of app state as there (6.17): nobody waits for either.
    this.#creds = this.#toJson({ ...baileys.initAuthCreds(), accountSyncCounter: 1, myAppStateKeyId: 'AAAA' });
  }

  /** @param {unknown} value */
  #toJson(value) {
    return JSON.stringify(value, this.#baileys.BufferJSON.replacer);
  }

  /** @param {string} text */
  #fromJson(text) {
    return JSON.parse(text, this.#baileys.BufferJSON.reviver);
  }

  /** @returns {import('baileys').AuthenticationState} What Baileys' `auth` option takes. */
  load() {
    const keys = this.#keys;
    return {
      creds: this.#fromJson(this.#creds),
      keys: {
        get: async (type, ids) =>
          Object.fromEntries(
            ids.flatMap(id => {
              const text = keys.get(`${type}:${id}`);
              return text === undefined ? [] : [[id, this.#fromJson(text)]];
            })
          ),
        set: async data => {
          for (const [type, values] of Object.entries(data)) {
            for (const [id, value] of Object.entries(values)) {
              if (value === null || value === undefined) keys.delete(`${type}:${id}`);
              else keys.set(`${type}:${id}`, this.#toJson(value));
            }
          }
        }
      }
    };
  }

  /** Loses every session, as a client does whose store is damaged. */
  forgetSessions() {
    for (const key of [...this.#keys.keys()]) if (key.startsWith('session:')) this.#keys.delete(key);
  }

  /** @param {Partial<import('baileys').AuthenticationCreds>} update */
  save(update) {
    this.#creds = this.#toJson({ ...this.#fromJson(this.#creds), ...update });
  }
}
