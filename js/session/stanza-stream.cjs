'use strict';

/** Stanzas waiting in a stream above which the session stops reading, and at which it goes on. */
const HIGH_WATER = 256;
const LOW_WATER = 64;

/** Stanzas as an async iterator. A consumer that is slow makes the session stop reading, and so the server wait. */
class StanzaStream {
  #stanzas = [];
  /** Where the next one lies: taking from the front of a long list is slow. */
  #first = 0;
  #waiting = [];
  #ended = false;
  #failure;
  #hold;
  #held = false;
  #release;

  /**
   * @param {(held: boolean) => void} hold tells the session to stop reading, or that it may go on
   * @param {() => void} release takes the stream off the session
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

  /** No more comes; `failure`, where there is one, takes the place of what is left. */
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
