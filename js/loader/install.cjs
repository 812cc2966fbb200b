'use strict';

const Module = require('node:module');
const { pathToFileURL } = require('node:url');
const { environmentSwitch } = require('../shared/environment.cjs');
const { watchForBypass } = require('./bypass.cjs');
const { JEST } = require('./causes.cjs');
const { installCommonJsHooks } = require('./cjs.cjs');
const { loadTarget } = require('./esm.cjs');
const { installBunHooks } = require('./bun.cjs');
const { installDenoHooks } = require('./deno.cjs');
const { warnLate, warnUnavailable } = require('./replacement.cjs');
const { state } = require('./state.cjs');
const { findTarget } = require('./targets.cjs');

/** Installs the hooks once per thread, unless `BAILEYS_NATIVE` is off or the addon cannot be loaded. */
function install() {
  if (state.attempted || environmentSwitch('BAILEYS_NATIVE') === false) return;
  state.attempted = true;
  try {
    refuseJest();
    // Loaded before the hooks, so that the hooks do not run for the files of this package.
    require('../baileys/drop-in.cjs');
    installHooks();
    if (environmentSwitch('BAILEYS_NATIVE_INSPECT')) require('../inspect/index.cjs').inspectFromEnvironment();
  } catch (error) {
    warnUnavailable(error);
    return;
  }
  state.active = true;
  warnOfLoaded();
  watchForBypass();
}

function installHooks() {
  if (process.versions.bun !== undefined) installBunHooks();
  else if (process.versions.deno !== undefined) installDenoHooks();
  else installCommonJsHooks(installEsmHooks());
}

/** Throws under Jest. */
function refuseJest() {
  // @ts-ignore Jest gives each module this variable.
  if (typeof jest !== 'undefined') throw new Error(JEST);
}

/** Warns of copies that CommonJS has already loaded: they are not replaced. Loaded ES modules cannot be listed. */
function warnOfLoaded() {
  for (const filename of Object.keys(require.cache)) {
    const target = findTarget(filename);
    if (target?.copy.dialect !== undefined) warnLate(target.copy);
  }
}

/** `module.registerHooks`, since Node 22.15. `any`: the types of the oldest supported Node.js do not have it. */
function registerHooks() {
  return /** @type {any} */ (Module).registerHooks;
}

/** @returns {boolean} Whether the hooks also run for ES modules under `require()`. */
function installEsmHooks() {
  const register = registerHooks();
  if (register === undefined) {
    registerInThread();
    return false;
  }
  register({
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

function registerInThread() {
  try {
    Module.register('./esm-thread.mjs', pathToFileURL(__filename));
  } catch (cause) {
    throw new Error(`Node.js 20.10 or later is required: ${process.version} has no module hooks`, { cause });
  }
}

module.exports = { install };
