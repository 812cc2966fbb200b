'use strict';

const { Readable } = require('node:stream');

/** The session stops reading when this number of stanzas waits for the consumer. */
const HIGH_WATER = 256;

/** A stream of stanzas. If the consumer is slow, the session stops reading. */
class StanzaStream extends Readable {
  #hold;
  #release;
  #isReleased = false;

  /**
   * @param {(held: boolean) => void} hold true: the session stops reading; false: it reads again
   * @param {() => void} release removes the stream from the session
   */
  constructor(hold, release) {
    super({ objectMode: true, highWaterMark: HIGH_WATER });
    this.#hold = hold;
    this.#release = release;
    // The iterator rejects with the error. Without a listener, an error before the first `next` would end the process.
    this.on('error', () => {});
  }

  /** @param {import('../../index').BinaryNode} node */
  add(node) {
    // An earlier listener of this stanza can have ended the stream, which then must not hold the session any more.
    if (!this.#isReleased && !this.push(node)) this.#hold(true);
  }

  /** The iterator that consumes this stream. */
  iterate() {
    const iterator = /** @type {AsyncGenerator} */ (this[Symbol.asyncIterator]());
    // The iterator of a Readable destroys its stream only if `next` was called before. `Readable.from` calls `throw`.
    for (const name of /** @type {const} */ (['return', 'throw'])) {
      const end = iterator[name].bind(iterator);
      iterator[name] = value => {
        this.destroy();
        return end(value);
      };
    }
    return iterator;
  }

  _read() {
    if (!this.#isReleased) this.#hold(false);
  }

  /** @type {Readable['_destroy']} */
  _destroy(error, callback) {
    this.#leave();
    callback(error);
  }

  /**
   * Ends the stream after the waiting stanzas. With a failure, ends it at once.
   *
   * @param {unknown} [failure]
   */
  end(failure) {
    if (this.#isReleased) return;
    this.#leave();
    if (failure === undefined) this.push(null);
    else this.destroy(/** @type {Error} */ (failure));
  }

  #leave() {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#hold(false);
    this.#release();
  }
}

module.exports = { StanzaStream };
