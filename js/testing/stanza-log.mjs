// The recorded stanzas of a mock server, and the callers that wait for one.

/** @import { StanzaRecord } from './index.cjs' */
/** @typedef {(record: StanzaRecord) => boolean} Predicate */

export class StanzaLog {
  /** @type {StanzaRecord[]} */
  stanzas = [];
  /** @type {Set<{ offer: (record: StanzaRecord) => void, reject: (error: Error) => void }>} */
  #waiters = new Set();
  #isClosed = false;

  /** Whether a caller waits for a stanza. */
  get hasWaiters() {
    return this.#waiters.size > 0;
  }

  /**
   * Passes a record to the callers that wait for it.
   *
   * @param {StanzaRecord} record
   */
  offer(record) {
    for (const waiter of this.#waiters) waiter.offer(record);
  }

  /**
   * Resolves with the first stanza, recorded or future, that the predicate accepts.
   *
   * @param {Predicate} predicate
   * @param {{ timeoutMs?: number, from?: number }} [options]
   * @returns {Promise<StanzaRecord>}
   */
  waitFor(predicate, { timeoutMs = 10_000, from = 0 } = {}) {
    const found = this.stanzas.slice(from).find(record => predicate(record));
    if (found) return Promise.resolve(found);
    if (this.#isClosed) return Promise.reject(stopped());
    return new Promise((resolve, reject) => {
      /**
       * @param {(value: any) => void} settle
       * @param {unknown} value
       */
      const finish = (settle, value) => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
        settle(value);
      };
      const waiter = {
        /** @param {StanzaRecord} record */
        offer: record => predicate(record) && finish(resolve, record),
        /** @param {Error} error */
        reject: error => finish(reject, error)
      };
      const timer = setTimeout(() => waiter.reject(this.#timedOut(timeoutMs)), timeoutMs);
      this.#waiters.add(waiter);
    });
  }

  /** Rejects all callers that wait, and all later ones. */
  close() {
    this.#isClosed = true;
    for (const { reject } of [...this.#waiters]) reject(stopped());
  }

  /** @param {number} timeoutMs */
  #timedOut(timeoutMs) {
    const recent = this.stanzas.slice(-8).map(({ direction, node }) => `${direction} ${node.tag}`);
    return new Error(`no such stanza in ${timeoutMs} ms; the last ones were: ${recent.join(', ') || 'none'}`);
  }
}

const stopped = () => new Error('the mock server was stopped');
