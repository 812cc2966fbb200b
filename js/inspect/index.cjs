'use strict';

// Makes this thread visible to `baileys-native inspect`: by `inspect()`, or by the variable BAILEYS_NATIVE_INSPECT.

const { environmentSwitch } = require('../shared/environment.cjs');
const { warnOnce } = require('../shared/warn-once.cjs');

/**
 * The publisher of this thread. There is at most one.
 *
 * @type {{ path: string, close(): Promise<void> } | undefined}
 */
let current;

/** @param {any} error */
const warn = error => warnOnce('BAILEYS_NATIVE_INSPECT', `This process cannot be inspected: ${error.message}`);

/** @param {{ name?: string, directory?: string }} [options] */
function inspect(options = {}) {
  if (current !== undefined) return current;
  const { Publisher } = require('./publisher.cjs');
  const { watchAll } = require('../session/watch-all.cjs');
  const publisher = new Publisher({ ...options, onError: warn });
  const stop = watchAll();
  const handle = {
    path: publisher.path,
    async close() {
      if (current !== handle) return;
      current = undefined;
      stop();
      await publisher.close();
    }
  };
  current = handle;
  return handle;
}

/** Calls `inspect` if the environment variable is set. Errors are only warnings: the bot must go on. */
function inspectFromEnvironment() {
  const value = environmentSwitch('BAILEYS_NATIVE_INSPECT');
  if (!value) return;
  try {
    inspect(value === true ? {} : { name: value });
  } catch (error) {
    warn(error);
  }
}

module.exports = { inspect, inspectFromEnvironment };
