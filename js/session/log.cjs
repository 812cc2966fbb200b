'use strict';

/** Levels of pino's, by their numbers. */
const LEVELS = { trace: 10, debug: 20, info: 30, warn: 40, error: 50, fatal: 60, silent: Infinity };

/** A stanza with the lengths of binary contents in their place: keys and messages are such. */
function withoutBytes({ tag, attrs, content }) {
  if (content instanceof Uint8Array) return { tag, attrs, content: `${content.length} bytes` };
  return { tag, attrs, content: Array.isArray(content) ? content.map(withoutBytes) : content };
}

/**
 * What a session writes to its user's logger, and what its native half tells. Nothing is put together that the level rules
 * out, and stanzas are written at `trace` alone.
 *
 * @param {any} logger pino's, or anything with its methods; none where undefined
 */
function createLog(logger) {
  const to = logger?.child?.({ class: 'native-session' }) ?? logger;
  const writes = level => {
    if (to === undefined || to === null) return false;
    return typeof to.isLevelEnabled === 'function'
      ? to.isLevelEnabled(level)
      : LEVELS[level] >= (LEVELS[to.level] ?? LEVELS.info);
  };
  return {
    /** The least important level that is written; `off` where none is. */
    level: () => Object.keys(LEVELS).find(level => level !== 'silent' && level !== 'fatal' && writes(level)) ?? 'off',
    write(level, data, message) {
      if (!writes(level)) return;
      const method = typeof to[level] === 'function' ? level : 'warn';
      if (data === undefined) to[method](message);
      else to[method](data, message);
    },
    trace(what, node) {
      if (to !== undefined && to !== null && writes('trace'))
        to.trace({ node: withoutBytes(node) }, `${what} a stanza`);
    }
  };
}

module.exports = { createLog };
