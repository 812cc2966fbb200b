'use strict';

const Module = require('node:module');
const { pathToFileURL } = require('node:url');
const { environmentSwitch } = require('../environment.cjs');
const { installCommonJsHooks } = require('./cjs.cjs');
const { loadTarget } = require('./esm.cjs');
const { warnUnavailable } = require('./replacement.cjs');
const { state } = require('./state.cjs');

/** Installs the hooks, once a thread, unless `BAILEYS_NATIVE` says no or the addon cannot be loaded. */
function install() {
  if (state.attempted || environmentSwitch('BAILEYS_NATIVE') === false) return;
  state.attempted = true;
  try {
    require('../drop-in.cjs');
  } catch (error) {
    warnUnavailable(error);
    return;
  }
  installCommonJsHooks(installEsmHooks());
  state.active = true;
}

/** @returns {boolean} Whether the hooks also run for ES modules under `require()`. */
function installEsmHooks() {
  // Since Node 22.15; the types are those of the oldest supported version.
  const { registerHooks } = /** @type {{ registerHooks?: (hooks: object) => void }} */ (
    /** @type {unknown} */ (Module)
  );
  if (registerHooks === undefined) {
    Module.register('./esm-thread.mjs', pathToFileURL(__filename));
    return false;
  }
  registerHooks({
    /**
     * @param {string} url
     * @param {{ format?: string | null }} context
     * @param {(url: string, context: object) => object} nextLoad
     */
    load(url, context, nextLoad) {
      return loadTarget(url, context) ?? nextLoad(url, context);
    }
  });
  return true;
}

module.exports = { install };
