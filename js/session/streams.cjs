'use strict';

const { StanzaStream } = require('./stanza-stream.cjs');

/** @import { StanzaPattern } from '../../index' */
/** @import { Watches } from './watches.cjs' */

/** The open streams of a session. The session does not read while the program or one of its streams has paused it. */
class Streams {
  #native;
  #watches;
  /** @type {Set<InstanceType<typeof StanzaStream>>} */
  #open = new Set();
  /** Objects that have paused reading. */
  #pausedBy = new Set();

  /**
   * @param {import('../addon/native').Session} native
   * @param {InstanceType<typeof Watches>} watches
   */
  constructor(native, watches) {
    this.#native = native;
    this.#watches = watches;
  }

  /**
   * @param {object} holder the session or a stream
   * @param {boolean} held
   */
  setPausedBy(holder, held) {
    const before = this.#pausedBy.size;
    if (held) this.#pausedBy.add(holder);
    else this.#pausedBy.delete(holder);
    if (before > 0 !== this.#pausedBy.size > 0) this.#native.setPaused(this.#pausedBy.size > 0);
  }

  /**
   * Opens a stream of the stanzas that match a pattern, and returns its iterator.
   *
   * @param {string | StanzaPattern} pattern
   * @param {AbortSignal | undefined} signal
   */
  iterate(pattern, signal) {
    const onAbort = () => stream.end(signal?.reason);
    const release = () => {
      remove();
      this.#open.delete(stream);
      signal?.removeEventListener('abort', onAbort);
    };
    const stream = new StanzaStream(held => this.setPausedBy(stream, held), release);
    const remove = this.#watches.add(pattern, node => stream.add(node));
    this.#open.add(stream);
    if (signal?.aborted) onAbort();
    else signal?.addEventListener('abort', onAbort, { once: true });
    return stream.iterate();
  }

  /** Ends all streams after their waiting stanzas. */
  end() {
    for (const stream of [...this.#open]) stream.end();
  }
}

module.exports = { Streams };
