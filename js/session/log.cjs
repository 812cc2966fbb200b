'use strict';

/** @import { BinaryNode } from '../../index' */

/**
 * The numbers of pino's levels.
 *
 * @type {Record<string, number>}
 */
const LEVELS = { trace: 10, debug: 20, info: 30, warn: 40, error: 50, fatal: 60, silent: Infinity };

/**
 * A stanza for the log. Binary contents, such as keys and messages, are replaced by their lengths.
 *
 * @param {BinaryNode} node
 * @returns {object}
 */
function withoutBytes({ tag, attrs, content }) {
  if (content instanceof Uint8Array) return { tag, attrs, content: `${content.length} bytes` };
  return { tag, attrs, content: Array.isArray(content) ? content.map(withoutBytes) : content };
}

/**
 * Writes the log entries of a session and of the addon to the user's logger. Stanzas are written only at `trace`.
 *
 * @param {any} logger a pino logger, or an object with its methods; undefined: nothing is written
 */
function createLog(logger) {
  const to = logger?.child?.({ class: 'native-session' }) ?? logger;
  const isGiven = to !== undefined && to !== null;
  if (isGiven && typeof to.warn !== 'function') throw new TypeError('logger must have the methods of a pino logger');
  /**
   * An exception of the logger must not stop the session in the middle of a change. It is thrown in the next tick.
   *
   * @param {() => unknown} act
   */
  const guarded = act => {
    try {
      return act();
    } catch (error) {
      process.nextTick(() => {
        throw error;
      });
      return undefined;
    }
  };
  /** @param {string} level */
  const isEnabled = level =>
    typeof to.isLevelEnabled === 'function'
      ? to.isLevelEnabled(level)
      : LEVELS[level] >= (LEVELS[to.level] ?? LEVELS.info);
  /** @param {string} level */
  const writes = level => isGiven && Boolean(guarded(() => isEnabled(level)));
  /**
   * @param {string} level
   * @param {any[]} args
   */
  const call = (level, ...args) => guarded(() => to[typeof to[level] === 'function' ? level : 'warn'](...args));
  return {
    /** The lowest level that the logger writes; `off` if it writes none. */
    level: () => Object.keys(LEVELS).find(level => level !== 'silent' && level !== 'fatal' && writes(level)) ?? 'off',
    /**
     * @param {string} level
     * @param {object | undefined} data
     * @param {string} message
     */
    write(level, data, message) {
      if (!writes(level)) return;
      if (data === undefined) call(level, message);
      else call(level, data, message);
    },
    /**
     * @param {string} what
     * @param {BinaryNode} node
     */
    trace(what, node) {
      if (writes('trace')) call('trace', { node: withoutBytes(node) }, `${what} a stanza`);
    }
  };
}

module.exports = { createLog };
