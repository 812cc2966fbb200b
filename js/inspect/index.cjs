'use strict';

// Taking part in `baileys-native inspect`: by `inspect()`, or by BAILEYS_NATIVE_INSPECT in the environment.

const { environmentSwitch } = require('../shared/environment.cjs');
const { warnOnce } = require('../shared/warn-once.cjs');

/**
 * The one publisher of this thread.
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

/** Takes part where the environment says so. What goes wrong is a warning: the bot is more important. */
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
