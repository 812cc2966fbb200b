'use strict';

/** Hooks for Deno, which has the synchronous hooks of Node. They also run for `require()`. */

const { existsSync, readFileSync } = require('node:fs');
const Module = require('node:module');
const { dirname, join } = require('node:path');
const { fileURLToPath } = require('node:url');
const { inlineSource } = require('./inline.cjs');
const { findTarget, looksLikeTarget } = require('./targets.cjs');

/** Namespaces of ES modules that were loaded by `require()`, by URL. */
const NAMESPACES = Symbol.for('baileys-native.namespaces');

/** @type {Map<string, unknown>} */
const namespaces = new Map();

/** @type {Map<string, boolean>} Whether the `.js` files of a folder are ES modules. */
const moduleFolders = new Map();

/**
 * @typedef {{ url: string }} Resolved
 * @typedef {{ importAttributes?: { type?: string }, conditions?: string[] }} LoadContext
 */

/** @param {string} url @returns {string | undefined} The path of a file that may be a target. */
function targetPath(url) {
  return url.startsWith('file:') && looksLikeTarget(url) ? fileURLToPath(url) : undefined;
}

/** @param {string} folder @returns {boolean} */
function isModuleFolder(folder) {
  let known = moduleFolders.get(folder);
  if (known === undefined) {
    const manifest = join(folder, 'package.json');
    const parent = dirname(folder);
    if (existsSync(manifest)) known = JSON.parse(readFileSync(manifest, 'utf8')).type === 'module';
    else known = parent !== folder && isModuleFolder(parent);
    moduleFolders.set(folder, known);
  }
  return known;
}

/** @param {string} path */
function isEsModule(path) {
  return path.endsWith('.mjs') || (path.endsWith('.js') && isModuleFolder(dirname(path)));
}

const LOAD_HOOK = {
  /**
   * @param {string} url
   * @param {LoadContext} context
   * @param {(url: string, context: object) => object} nextLoad
   */
  load(url, context, nextLoad) {
    // If a hook is installed, Deno 2.9 evaluates required JSON files as JavaScript.
    if (url.startsWith('file:') && url.endsWith('.json') && context.importAttributes?.type === undefined) {
      const source = `module.exports = ${readFileSync(fileURLToPath(url), 'utf8')}`;
      return { format: 'commonjs', source, shortCircuit: true };
    }
    const path = targetPath(url);
    const target = path === undefined ? undefined : findTarget(path);
    if (target !== undefined) {
      return { format: target.copy.esm ? 'module' : 'commonjs', source: inlineSource(target), shortCircuit: true };
    }
    const isRequired = url.startsWith('file:') && context.conditions?.includes('require') === true;
    if (isRequired && isEsModule(fileURLToPath(url))) return required(url);
    return nextLoad(url, context);
  }
};

/**
 * Installed instead of the `load` hook while `require()` loads an ES module. It refuses Baileys, because Baileys would
 * not be replaced there.
 */
const RESOLVE_HOOK = {
  /**
   * @param {string} specifier
   * @param {object} context
   * @param {(specifier: string, context: object) => Resolved} nextResolve
   */
  resolve(specifier, context, nextResolve) {
    const resolved = nextResolve(specifier, context);
    const path = targetPath(resolved.url);
    if (path !== undefined && findTarget(path) !== undefined) {
      throw new Error(`On Deno, an ES module that imports Baileys must be loaded by import, not by require(): ${path}`);
    }
    return resolved;
  }
};

/** @type {(hooks: object) => { deregister(): void }} The types of the oldest supported Node.js do not have it. */
const registerHooks = /** @type {any} */ (Module).registerHooks;

/** @type {{ deregister(): void }} */
let installed;

/**
 * Loads an ES module that is required. With a `load` hook, Deno 2.9 finds none of the imports of such a module ("Cannot
 * resolve module"). With only a `resolve` hook, it finds the imports that are CommonJS.
 *
 * @param {string} url
 */
function required(url) {
  const path = fileURLToPath(url);
  installed.deregister();
  const temporary = registerHooks(RESOLVE_HOOK);
  try {
    delete require.cache[path];
    namespaces.set(url, require(path));
  } finally {
    temporary.deregister();
    installed = registerHooks(LOAD_HOOK);
  }
  const source = `module.exports = globalThis[Symbol.for(${JSON.stringify(NAMESPACES.description)})].get(${JSON.stringify(url)})`;
  return { format: 'commonjs', source, shortCircuit: true };
}

function installDenoHooks() {
  if (registerHooks === undefined)
    throw new Error('Deno 2.9 or later is required: this version has no module.registerHooks');
  Object.defineProperty(globalThis, NAMESPACES, { value: namespaces });
  installed = registerHooks(LOAD_HOOK);
}

module.exports = { installDenoHooks };
