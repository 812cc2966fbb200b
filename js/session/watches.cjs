'use strict';

/** @import { BinaryNode, StanzaPattern } from '../../index' */
/**
 * One registration. It is an object, because the same function can be registered twice.
 *
 * @typedef {{ listener: (node: any) => void }} WatchListener
 */
/** @typedef {{ key: string, number: number, listeners: WatchListener[] }} Watch */

/** The patterns of a session and their listeners. Listeners of one pattern share one entry in the addon. */
class Watches {
  #native;
  /** @type {Map<string, Watch>} */
  #byKey = new Map();
  /** @type {Map<number, Watch>} */
  #byNumber = new Map();

  /** @param {import('../addon/native').Session} native */
  constructor(native) {
    this.#native = native;
  }

  /**
   * @param {string | StanzaPattern} pattern
   * @param {(node: any) => void} listener
   * @returns {() => void} removes the listener
   */
  add(pattern, listener) {
    if (typeof listener !== 'function') throw new TypeError('the listener must be a function');
    const key = typeof pattern === 'string' ? pattern : JSON.stringify(structured(pattern));
    let watch = this.#byKey.get(key);
    if (watch === undefined) {
      const native = this.#native;
      const number = typeof pattern === 'string' ? native.watch(pattern) : native.watchPattern(structured(pattern));
      watch = { key, number, listeners: [] };
      this.#byKey.set(key, watch);
      this.#byNumber.set(number, watch);
    }
    const entry = { listener };
    // A new array each time: `deliver` may be iterating over the old one.
    watch.listeners = [...watch.listeners, entry];
    return () => this.#remove(watch, entry);
  }

  /**
   * @param {Watch} watch
   * @param {WatchListener} entry
   */
  #remove(watch, entry) {
    if (!watch.listeners.includes(entry)) return;
    watch.listeners = watch.listeners.filter((/** @type {WatchListener} */ other) => other !== entry);
    if (watch.listeners.length > 0) return;
    this.#byKey.delete(watch.key);
    this.#byNumber.delete(watch.number);
    this.#native.unwatch(watch.number);
  }

  /**
   * Hands a stanza to the listeners of a pattern.
   *
   * @param {number} number
   * @param {BinaryNode} node
   */
  deliver(number, node) {
    const watch = this.#byNumber.get(number);
    if (watch === undefined) return;
    const { listeners } = watch;
    for (let i = 0; i < listeners.length; i++) listeners[i].listener(node);
  }
}

/**
 * Converts a pattern for the addon.
 *
 * @param {StanzaPattern} pattern
 */
function structured({ tag, id, attrs = {}, child }) {
  const list = Object.entries(attrs).map(([name, value]) => (value === true ? { name } : { name, value }));
  return { tag, id, attrs: list, child };
}

module.exports = { Watches };
