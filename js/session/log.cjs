'use strict';

/** Levels of pino's, by their numbers. */
const LEVELS = { trace: 10, debug: 20, info: 30, warn: 40, error: 50, fatal: 60, silent: Infinity };

/**
 * What a session writes to its user's logger. Nothing is put together that the level rules out, and stanzas are written
 * at `trace` alone.
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
    write(level, data, message) {
      if (!writes(level)) return;
      if (data === undefined) to[level](message);
      else to[level](data, message);
    },
    trace(what, node) {
      if (to !== undefined && to !== null && writes('trace')) to.trace({ node }, `${what} a stanza`);
    }
  };
}

module.exports = { createLog };
