'use strict';

const { ALIVE_FRAME } = require('./connection-link.cjs');
const { ListenedEmitter } = require('../shared/listened-emitter.cjs');

/** All names of at least this length share one entry of the index. */
const INDEXED_LENGTHS = 128;

/** @param {any} emitter */
const eventsCount = emitter => emitter._eventsCount;

/**
 * Returns the element of `names` that equals `name`. V8 has already hashed that element, but not `name`. The last
 * characters are compared first, because the names that Baileys makes from one stanza differ most at their ends.
 *
 * @param {string[]} names
 * @param {string} name not empty
 */
function find(names, name) {
  const last = name.charCodeAt(name.length - 1);
  for (let i = 0; i < names.length; i++) {
    const candidate = names[i];
    if (candidate.charCodeAt(candidate.length - 1) === last && candidate === name) return candidate;
  }
  return undefined;
}

/**
 * An EventEmitter with a fast `emit` for events without a listener.
 *
 * Baileys emits about three names for each attribute of each stanza, and almost none has a listener. Node's `emit`
 * looks each name up in an object: V8 must flatten and hash the new string. This class first compares the length of the
 * name with an index of the lengths, then compares the name with the few names of that length.
 *
 * Everything else is done by EventEmitter: names with a listener, `error`, and symbols.
 */
class IndexedEmitter extends ListenedEmitter {
  /** The names that have listeners, by their length. */
  #names = new Array(INDEXED_LENGTHS + 1).fill(undefined);
  #stale = true;
  /**
   * Number of event names when the index was built. If it differs from the current number, a listener was added or
   * removed without the methods of this class.
   */
  #count = -1;

  /** @param {ConstructorParameters<typeof import('node:events').EventEmitter>[0]} [options] */
  constructor(options) {
    super(() => {
      this.#stale = true;
    }, options);
  }

  /**
   * @param {string | symbol} name
   * @param {...any} args
   */
  emit(name, ...args) {
    if (typeof name === 'string' && name.length > 0) {
      if (this.#stale || this.#count !== eventsCount(this)) this.#index();
      const { length } = name;
      const names = this.#names[length < INDEXED_LENGTHS ? length : INDEXED_LENGTHS];
      if (names === undefined) return false;
      const known = find(names, name);
      if (known === undefined || args[0] === ALIVE_FRAME) return false;
      return super.emit(known, ...args);
    }
    return super.emit(name, ...args);
  }

  #index() {
    this.#names.fill(undefined);
    // EventEmitter throws for an `error` without a listener, so `error` is always in the index.
    this.#names['error'.length] = ['error'];
    for (const name of this.eventNames()) {
      if (typeof name !== 'string') continue;
      const place = Math.min(name.length, INDEXED_LENGTHS);
      (this.#names[place] ??= []).push(name);
    }
    this.#stale = false;
    this.#count = eventsCount(this);
  }
}

module.exports = { IndexedEmitter };
