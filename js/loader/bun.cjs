'use strict';

/**
 * Hooks for Bun: a plugin for ES modules, and a replacement of the function that loads CommonJS `.js` files. The plugin
 * only gets the paths of copies that are ES modules: a plugin for a CommonJS file breaks the circular imports of
 * Baileys.
 */

const { existsSync, readFileSync, readdirSync, realpathSync } = require('node:fs');
const Module = require('node:module');
const { dirname, join } = require('node:path');
const { inlineSource } = require('./inline.cjs');
const { TARGETS, DECODER } = require('./parts.cjs');
const { findTarget } = require('./targets.cjs');

/**
 * The part of Bun's `PluginBuilder` that is used here.
 *
 * @typedef {object} BunBuilder
 * @property {(options: { filter: RegExp }, load: (file: { path: string }) => object) => void} onLoad
 */

function installBunHooks() {
  const { Bun } = /** @type {any} */ (globalThis);
  const extensions = /** @type {any} */ (Module)._extensions;
  const load = extensions['.js'];
  extensions['.js'] = (
    /** @type {NodeModule & { _compile(source: string, filename: string): void }} */ module,
    /** @type {string} */ filename
  ) => {
    const target = findTarget(filename);
    if (target === undefined || target.copy.esm) load(module, filename);
    else module._compile(inlineSource(target), filename);
  };
  const files = moduleFiles([process.cwd(), dirname(Bun.main)]);
  if (files.length === 0) return;
  Bun.plugin({
    name: 'baileys-native',
    /** @param {BunBuilder} build */
    setup: build =>
      build.onLoad({ filter: new RegExp(`^(?:${files.map(escaped).join('|')})$`) }, ({ path }) => {
        const target = findTarget(path);
        return { contents: target === undefined ? readFileSync(path, 'utf8') : inlineSource(target), loader: 'js' };
      })
  });
}

/**
 * The targets of all copies that are ES modules, in the `node_modules` of the directories and of their parents.
 *
 * @param {string[]} directories
 */
function moduleFiles(directories) {
  const files = new Set();
  for (const start of directories) {
    for (let directory = start; ; directory = dirname(directory)) {
      for (const root of packagesIn(join(directory, 'node_modules'))) {
        if (!existsSync(join(root, DECODER))) continue;
        for (const file of Object.keys(TARGETS)) {
          const path = join(realpathSync(root), file);
          if (findTarget(path)?.copy.esm) files.add(path);
        }
      }
      if (directory === dirname(directory)) break;
    }
  }
  return [...files];
}

/**
 * @param {string} modules
 * @returns {string[]}
 */
function packagesIn(modules) {
  return names(modules).flatMap(name =>
    name.startsWith('@') ? names(join(modules, name)).map(each => join(modules, name, each)) : [join(modules, name)]
  );
}

/** @param {string} directory */
function names(directory) {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

/** @param {string} text */
function escaped(text) {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

module.exports = { installBunHooks };
