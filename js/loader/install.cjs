'use strict';

const Module = require('node:module');
const { join } = require('node:path');
const { pathToFileURL } = require('node:url');
const { environmentSwitch } = require('../environment.cjs');
const { installCommonJsHooks } = require('./cjs.cjs');
const { loadTarget } = require('./esm.cjs');
const { warnLate, warnUnavailable } = require('./replacement.cjs');
const { state } = require('./state.cjs');
const { findTarget } = require('./targets.cjs');

/** The oldest Node.js whose `module.register` takes the flags that load this package; `engines` in package.json. */
const OLDEST_NODE = [20, 6];

/** Installs the hooks, once a thread, unless `BAILEYS_NATIVE` says no or the addon cannot be loaded. */
function install() {
  if (state.attempted || environmentSwitch('BAILEYS_NATIVE') === false) return;
  state.attempted = true;
  try {
    checkRuntime();
    require('../drop-in.cjs');
    installCommonJsHooks(installEsmHooks());
  } catch (error) {
    warnUnavailable(error);
    return;
  }
  state.active = true;
  for (const root of loadedCopies()) warnLate(root);
}

/** Throws on a runtime whose module loader has not the hooks that this needs. */
function checkRuntime() {
  if (process.versions.bun !== undefined) throw new Error("Bun has not the hooks of Node.js's module loader");
  const [major, minor] = process.versions.node.split('.').map(Number);
  const [oldest, least] = OLDEST_NODE;
  if (major < oldest || (major === oldest && minor < least)) {
    throw new Error(`Node.js ${OLDEST_NODE.join('.')} or later is needed, and this is ${process.version}`);
  }
}

/** The copies of Baileys that were required before the hooks: what is loaded already stays as it is. */
function loadedCopies() {
  const targets = Object.keys(require.cache).map(file => findTarget(file));
  return new Set(targets.flatMap(target => (target?.copy.dialect === undefined ? [] : [target.copy.root])));
}

/** @returns {boolean} Whether the hooks also run for ES modules under `require()`. */
function installEsmHooks() {
  // Since Node 22.15; the types are those of the oldest supported version.
  const { registerHooks } = /** @type {{ registerHooks?: (hooks: object) => void }} */ (
    /** @type {unknown} */ (Module)
  );
  if (registerHooks === undefined) {
    // As a string and without a parent: 20.6 takes nothing else.
    Module.register(pathToFileURL(join(__dirname, 'esm-thread.mjs')).href);
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
