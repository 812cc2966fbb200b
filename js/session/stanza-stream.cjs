'use strict';

/** The session stops reading at HIGH_WATER waiting stanzas, and reads again at LOW_WATER. */
const HIGH_WATER = 256;
const LOW_WATER = 64;

/** An async iterator of stanzas. If the consumer is slow, the session stops reading. */
class StanzaStream {
  #stanzas = [];
  /** Index of the next stanza: to remove the first element of a long array is slow. */
  #first = 0;
  #waiting = [];
  #ended = false;
  #failure;
  #hold;
  #held = false;
  #release;

  /**
   * @param {(held: boolean) => void} hold true: the session stops reading; false: it reads again
   * @param {() => void} release removes the stream from the session
   */
  constructor(hold, release) {
    this.#hold = hold;
    this.#release = release;
  }

  push(node) {
    const waiting = this.#waiting.shift();
    if (waiting) {
      waiting.resolve({ value: node, done: false });
      return;
    }
    this.#stanzas.push(node);
    if (!this.#held && this.#length >= HIGH_WATER) this.#setHeld(true);
  }

  /** Ends the stream. If there is a `failure`, the stanzas that wait are dropped and the next call rejects with it. */
  end(failure) {
    if (this.#ended) return;
    this.#ended = true;
    this.#setHeld(false);
    this.#release();
    if (failure !== undefined) {
      this.#failure = { error: failure };
      this.#stanzas = [];
      this.#first = 0;
    }
    for (const waiting of this.#waiting.splice(0)) {
      if (failure === undefined) waiting.resolve({ value: undefined, done: true });
      else waiting.reject(this.#takeFailure());
    }
  }

  get #length() {
    return this.#stanzas.length - this.#first;
  }

  #setHeld(held) {
    if (held === this.#held) return;
    this.#held = held;
    this.#hold(held);
  }

  #takeFailure() {
    const { error } = this.#failure;
    return error;
  }

  async next() {
    if (this.#length > 0) {
      const node = this.#stanzas[this.#first];
      this.#stanzas[this.#first++] = undefined;
      if (this.#first === this.#stanzas.length || this.#first >= HIGH_WATER) {
        this.#stanzas.splice(0, this.#first);
        this.#first = 0;
      }
      if (this.#held && this.#length <= LOW_WATER) this.#setHeld(false);
      return { value: node, done: false };
    }
    if (this.#failure) {
      const error = this.#takeFailure();
      this.#failure = undefined;
      throw error;
    }
    if (this.#ended) return { value: undefined, done: true };
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  async return() {
    this.end();
    this.#stanzas = [];
    this.#first = 0;
    return { value: undefined, done: true };
  }

  [Symbol.asyncIterator]() {
    return this;
  }
}

module.exports = { StanzaStream };
