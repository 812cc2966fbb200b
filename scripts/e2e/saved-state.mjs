// Credentials and keys in the form in which a bot saves them. Every value is converted to JSON, and a new connection
// only uses that JSON.

export class SavedState {
  #baileys;
  #creds;
  /** @type {Map<string, string>} */
  #keys = new Map();

  /** @param {typeof import('baileys')} baileys */
  constructor(baileys) {
    this.#baileys = baileys;
    // History sync is marked as done, and app state keys as present (6.17), so that Baileys waits for neither.
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

  /** @returns {import('baileys').AuthenticationState} The value for Baileys' option `auth`. */
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

  /** Deletes every Signal session, as if the store were damaged. */
  forgetSessions() {
    for (const key of [...this.#keys.keys()]) if (key.startsWith('session:')) this.#keys.delete(key);
  }

  /** @param {Partial<import('baileys').AuthenticationCreds>} update */
  save(update) {
    this.#creds = this.#toJson({ ...this.#fromJson(this.#creds), ...update });
  }
}
