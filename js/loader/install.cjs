'use strict';

const Module = require('node:module');
const { pathToFileURL } = require('node:url');
const { environmentSwitch } = require('../shared/environment.cjs');
const { watchForBypass } = require('./bypass.cjs');
const { installCommonJsHooks } = require('./cjs.cjs');
const { loadTarget } = require('./esm.cjs');
const { warnLate, warnUnavailable } = require('./replacement.cjs');
const { state } = require('./state.cjs');
const { findTarget } = require('./targets.cjs');

/** Installs the hooks, once a thread, unless `BAILEYS_NATIVE` says no or the addon cannot be loaded. */
function install() {
  if (state.attempted || environmentSwitch('BAILEYS_NATIVE') === false) return;
  state.attempted = true;
  try {
    refuseOtherRuntimes();
    refuseJest();
    require('../baileys/drop-in.cjs');
    installCommonJsHooks(installEsmHooks());
    if (environmentSwitch('BAILEYS_NATIVE_INSPECT')) require('../inspect/index.cjs').inspectFromEnvironment();
  } catch (error) {
    warnUnavailable(error);
    return;
  }
  state.active = true;
  warnOfLoaded();
  watchForBypass();
}

function refuseOtherRuntimes() {
  const runtime = ['bun', 'deno'].find(name => process.versions[name] !== undefined);
  if (runtime !== undefined) throw new Error(`Module hooks of Node.js are needed, this is ${runtime}`);
}

/** Inside Jest's registry, `node:module` is another one than the one that loads modules. */
function refuseJest() {
  // @ts-ignore Jest gives each module this variable.
  if (typeof jest !== 'undefined')
    throw new Error('Jest loads modules by a registry of its own, which no hook reaches');
}

/** What CommonJS has loaded before stays as it is; of ES modules nobody can tell. */
function warnOfLoaded() {
  for (const filename of Object.keys(require.cache)) {
    const target = findTarget(filename);
    if (target?.copy.dialect !== undefined) warnLate(target.copy);
  }
}

/** @returns {boolean} Whether the hooks also run for ES modules under `require()`. */
function installEsmHooks() {
  // Since Node 22.15; the types are those of the oldest supported version.
  const { registerHooks } = /** @type {{ registerHooks?: (hooks: object) => void }} */ (
    /** @type {unknown} */ (Module)
  );
  if (registerHooks === undefined) {
    registerInThread();
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

function registerInThread() {
  try {
    Module.register('./esm-thread.mjs', pathToFileURL(__filename));
  } catch (cause) {
    throw new Error(`Node.js ${process.version} does not have the module hooks that are needed; 20.10 has`, { cause });
  }
}

module.exports = { install };
