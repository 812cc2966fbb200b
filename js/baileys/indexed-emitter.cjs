'use strict';

const { LIFE_SIGN } = require('./connection-link.cjs');
const { ListenedEmitter } = require('../shared/listened-emitter.cjs');

/** Names from this length on share one place in the index. */
const LONG = 128;

/** @param {any} emitter */
const eventsCount = emitter => emitter._eventsCount;

/**
 * Which of `names` is equal to `name`; it is the one that has been hashed already. The last characters are compared first:
 * that flattens `name` where a comparison of the whole does, and names made from one stanza differ most at their ends.
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
 * An EventEmitter whose `emit` costs next to nothing where nobody listens.
 *
 * Baileys emits some three names for each attribute of each stanza, and nearly all have no listener. A look-up must
 * flatten and hash each of these freshly concatenated names; their length alone rules nearly all of them out, and a
 * comparison with the few names of that length the rest.
 *
 * What it does is EventEmitter's own: names that may have a listener, `error`, and symbols take its way.
 */
class IndexedEmitter extends ListenedEmitter {
  /** By length: the names that have listeners. */
  #names = new Array(LONG + 1).fill(undefined);
  #stale = true;
  /** The number of names when the index was made, to notice listeners that were not added through our methods. */
  #count = -1;

  /** @param {ConstructorParameters<typeof import('node:events').EventEmitter>[0]} [options] */
  constructor(options) {
    super(() => {
      this.#stale = true;
    }, options);
  }

  emit(name, ...args) {
    if (typeof name === 'string' && name.length > 0) {
      if (this.#stale || this.#count !== eventsCount(this)) this.#index();
      const { length } = name;
      const names = this.#names[length < LONG ? length : LONG];
      if (names === undefined) return false;
      const known = find(names, name);
      if (known === undefined || args[0] === LIFE_SIGN) return false;
      return super.emit(known, ...args);
    }
    return super.emit(name, ...args);
  }

  #index() {
    this.#names.fill(undefined);
    // Without a listener it throws.
    this.#names['error'.length] = ['error'];
    for (const name of this.eventNames()) {
      if (typeof name !== 'string') continue;
      const place = Math.min(name.length, LONG);
      (this.#names[place] ??= []).push(name);
    }
    this.#stale = false;
    this.#count = eventsCount(this);
  }
}

module.exports = { IndexedEmitter };
