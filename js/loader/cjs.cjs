'use strict';

/**
 * Hooks for CommonJS. Node's loader, tsx, ts-node and pirates all call `Module.prototype._compile`, so targets are
 * replaced there. The hook of `Module._load` only handles the query for originals.
 */

const Module = require('node:module');
const { dirname, join } = require('node:path');
const { standaloneSource } = require('./esm.cjs');
const { dropInFor, warnNotReplaced } = require('./replacement.cjs');
const {
  DEFAULTS_SPECIFIER,
  NOISE_HANDLER,
  OFF_QUERY,
  WEBSOCKET_CLIENT,
  findTarget,
  reasonNotReplaced,
  sourceOf,
  targetsBeside
} = require('./targets.cjs');

/**
 * The undocumented methods of Node's Module that this file uses.
 *
 * @typedef {NodeJS.Module & {
 *   _compile(content: string, filename: string, format?: string): unknown,
 *   load(filename: string): void
 * }} LoadableModule
 * @typedef {{
 *   new (id: string, parent?: NodeJS.Module | null): LoadableModule,
 *   prototype: LoadableModule,
 *   _load(request: string, parent: NodeJS.Module | undefined, isMain: boolean): unknown,
 *   _resolveFilename(request: string, parent: NodeJS.Module | undefined, isMain: boolean): string,
 *   _nodeModulePaths(directory: string): string[]
 * }} ModuleClass
 */

const ModuleClass = /** @type {ModuleClass} */ (/** @type {unknown} */ (Module));
const OFF_SUFFIX = `?${OFF_QUERY}`;

/** @type {Map<string, LoadableModule>} Original modules of Baileys by file name. */
const originals = new Map();

/** @type {WeakSet<object>} Modules that are compiled without a replacement. */
const untouched = new WeakSet();

/** @type {Set<string>} Files that `preload` has handled. */
const preloaded = new Set();

/**
 * @param {boolean} hooksSeeRequire Whether the `load` hook also runs for ES modules under `require()`.
 */
function installCommonJsHooks(hooksSeeRequire) {
  const compile = ModuleClass.prototype._compile;
  const load = ModuleClass._load;

  /** @type {LoadableModule['_compile']} */
  ModuleClass.prototype._compile = function _compile(content, filename, ...rest) {
    if (rest[0] === 'module') {
      if (!hooksSeeRequire) preload(compile, filename);
      return Reflect.apply(compile, this, [content, filename, ...rest]);
    }
    const target = untouched.has(this) ? undefined : findTarget(filename);
    if (target === undefined) return Reflect.apply(compile, this, [content, filename, ...rest]);
    const dropIn = usableDropIn(target, this, () => originalExports(filename));
    if (dropIn === undefined) return Reflect.apply(compile, this, [content, filename, ...rest]);
    replaceExports(this, target, dropIn, () => {
      const known = originals.get(filename);
      if (known?.loaded) return known.exports;
      const original = addOriginal(filename, this);
      Reflect.apply(compile, original, [content, filename, ...rest]);
      original.loaded = true;
      return original.exports;
    });
    return undefined;
  };

  /** @type {ModuleClass['_load']} */
  ModuleClass._load = function _load(request, parent, isMain) {
    if (typeof request !== 'string' || !request.endsWith(OFF_SUFFIX)) {
      return Reflect.apply(load, this, [request, parent, isMain]);
    }
    const path = request.slice(0, -OFF_SUFFIX.length);
    const filename = ModuleClass._resolveFilename(path, parent, isMain);
    const target = findTarget(filename);
    if (target === undefined) return Reflect.apply(load, this, [path, parent, isMain]);
    if (target.copy.esm)
      throw new Error(`The original of an ES module is loaded by import(), not by require(): ${request}`);
    return originalExports(filename);
  };
}

/**
 * Puts the replacements for a copy of ES modules into the module cache, where Baileys' imports find them. It is needed
 * if the copy is loaded by `require()`: Node 20 then runs no hook for the imports of its modules.
 *
 * @param {LoadableModule['_compile']} compile
 * @param {string} filename The first file of the copy that is required.
 */
function preload(compile, filename) {
  for (const target of targetsBeside(filename)) {
    const path = join(target.copy.root, target.file);
    if (preloaded.has(path)) continue;
    preloaded.add(path);
    const module = new ModuleClass(path);
    module.filename = path;
    const source = standaloneSource(target);
    // A file with more exports needs its original. Loading it here would change the order of Baileys' modules.
    if (source === undefined) continue;
    const dropIn = usableDropIn(target, module, () => moduleOriginal(compile, path, target));
    if (dropIn !== undefined) Reflect.apply(compile, module, [source, path, 'module']);
  }
}

/**
 * The exports of the original of an ES module that `preload` has replaced.
 *
 * @param {LoadableModule['_compile']} compile
 * @param {string} path
 * @param {import('./targets.cjs').Target} target
 */
function moduleOriginal(compile, path, target) {
  const known = originals.get(path);
  if (known !== undefined) return known.exports;
  const original = addOriginal(path);
  // Node caches ES modules by file name, so the original is compiled under another name in the same folder.
  Reflect.apply(compile, original, [sourceOf(target), path + OFF_SUFFIX, 'module']);
  return original.exports;
}

/**
 * @param {import('./targets.cjs').Target} target
 * @param {LoadableModule} module
 * @param {() => any} loadOriginal
 */
function usableDropIn(target, module, loadOriginal) {
  const reason = reasonNotReplaced(target);
  const { dialect, root, name, version, code } = target.copy;
  if (reason !== undefined || dialect === undefined) {
    warnNotReplaced(reason ?? '', code, root);
    return undefined;
  }
  // Required at the first use: requiring it now would create a circular import.
  const certDetails = () => module.require(DEFAULTS_SPECIFIER).WA_CERT_DETAILS;
  const webSocketClient = () => loadOriginal().WebSocketClient;
  const known = target.file === NOISE_HANDLER ? { certDetails } : undefined;
  const facts = { root, name, version, dialect, names: target.names };
  return dropInFor(facts, target.file === WEBSOCKET_CLIENT ? { webSocketClient } : known);
}

/**
 * Puts our exports into `module.exports` before the original runs. In a circular import, the `export *` of TypeScript
 * copies only the names that exist at that moment.
 *
 * @param {LoadableModule} module
 * @param {import('./targets.cjs').Target} target
 * @param {Record<string, unknown>} dropIn
 * @param {() => object} loadOriginal
 */
function replaceExports(module, { names }, dropIn, loadOriginal) {
  const exported = module.exports;
  Object.defineProperty(exported, '__esModule', { value: true, configurable: true });
  for (const name of names) exported[name] = dropIn[name];
  const descriptors = Object.getOwnPropertyDescriptors(loadOriginal());
  for (const [key, descriptor] of Object.entries(descriptors)) {
    if (!names.includes(key)) Object.defineProperty(exported, key, descriptor);
  }
}

/**
 * @param {string} filename
 * @param {LoadableModule} [sibling] The module that replaces the original.
 */
function addOriginal(filename, sibling) {
  const original = new ModuleClass(filename + OFF_SUFFIX);
  original.filename = filename;
  original.paths = sibling?.paths ?? ModuleClass._nodeModulePaths(dirname(filename));
  untouched.add(original);
  if (!originals.has(filename)) originals.set(filename, original);
  return original;
}

/**
 * The exports of the original of a CommonJS target.
 *
 * @param {string} filename
 * @returns {any}
 */
function originalExports(filename) {
  const known = originals.get(filename);
  if (known !== undefined) return known.exports;
  const original = addOriginal(filename);
  try {
    original.load(filename);
  } catch (error) {
    originals.delete(filename);
    throw error;
  }
  return original.exports;
}

module.exports = { installCommonJsHooks, originalExports };
