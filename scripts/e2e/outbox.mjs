// The messages that a client sends in order, one at a time. Each is kept until the server acknowledges it.

/**
 * @typedef {import('../shared/bot.mjs').Sock} Sock
 * @typedef {{ key: string, item?: string, send: (sock: Sock) => Promise<unknown>, sent: boolean }} Entry
 */

export class Outbox {
  /** @type {Map<string, Entry>} */
  #entries = new Map();
  /** @type {Sock | undefined} */
  #sock;
  #working = Promise.resolve();
  #busy = false;
  /** @type {(() => void)[]} */
  #idle = [];

  /** Items that were sent a second time. @type {string[]} */
  resent = [];

  /**
   * @param {string} key The key in the acknowledgement.
   * @param {(sock: Sock) => Promise<unknown>} send
   * @param {string} [item]
   */
  add(key, send, item) {
    this.#entries.set(key, { key, item, send, sent: false });
    this.#work();
  }

  /** @param {string} key */
  acknowledged(key) {
    this.#entries.delete(key);
    if (this.#entries.size === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  /**
   * Starts to send, from the first entry that was not acknowledged.
   *
   * @param {Sock} sock
   */
  start(sock) {
    this.#sock = sock;
    for (const entry of this.#entries.values()) {
      if (entry.sent && entry.item) this.resent.push(entry.item);
      entry.sent = false;
    }
    this.#work();
  }

  /** Stops; resolves when the current send has ended or failed. */
  stop() {
    this.#sock = undefined;
    return this.#working;
  }

  /** @returns {Promise<void>} Resolves when everything was acknowledged. */
  empty() {
    return this.#entries.size === 0 ? Promise.resolve() : new Promise(resolve => this.#idle.push(resolve));
  }

  #work() {
    if (this.#busy) return;
    this.#busy = true;
    this.#working = this.#sendAll();
  }

  async #sendAll() {
    for (let entry = this.#next(); entry && this.#sock; entry = this.#next()) {
      entry.sent = true;
      try {
        await entry.send(this.#sock);
      } catch {
        // The connection ends. That stops this outbox, and the next start sends the entry again.
        break;
      }
    }
    // Set in the same step as the check for a next entry: an entry that is added later must start a new loop.
    this.#busy = false;
  }

  #next() {
    return [...this.#entries.values()].find(({ sent }) => !sent);
  }
}
