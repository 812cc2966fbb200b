'use strict';

/** Loads the addon: the binary that was built into this folder, or the binary of the platform package. */

const { statSync } = require('node:fs');
const { version } = require('../../package.json');
const { guardedForDeno } = require('./deno.cjs');
const { currentPlatform, nameOf, unavailableMessage } = require('./platform.cjs');
const { look } = require('./targets.cjs');

const UNAVAILABLE = 'ERR_NATIVE_UNAVAILABLE';

/**
 * @typedef {Omit<typeof import('./native'), 'createCore'> & {
 *   createCore: (environment: import('./native').NodeEnvironment) => import('./core').Core
 * }} Binding
 */

/** @type {Binding | undefined} */
let loaded;

/**
 * @param {string} reason
 * @param {unknown} [cause]
 */
function unavailable(reason, cause) {
  return Object.assign(new Error(unavailableMessage(reason), { cause }), { code: UNAVAILABLE });
}

/** @param {any} error */
function firstLine(error) {
  return String(error?.message ?? error).split('\n')[0];
}

/** @param {any} error */
function isMissing(error) {
  return error?.code === 'MODULE_NOT_FOUND';
}

/** @returns {Binding} */
function loadBinding() {
  loaded ??= guardedForDeno(findBinding());
  return loaded;
}

/** @returns {Binding} */
function findBinding() {
  const name = nameOf(currentPlatform());
  const built = look(name, 'file');
  if (built.found !== undefined) return checkVersion(built.found, 'The binary in js/addon', 'Run npm run build');
  if (built.error !== undefined && !isMissing(built.error)) throw unavailable(firstLine(built.error), built.error);
  return fromPackage(name);
}

/**
 * @param {string} name
 * @returns {Binding}
 */
function fromPackage(name) {
  const manifest = look(name, 'manifest');
  if (manifest.found === undefined) {
    throw unavailable(
      manifest.error === undefined ? 'No binary is published for this platform' : firstLine(manifest.error),
      manifest.error
    );
  }
  const packageName = manifest.found.name;
  if (manifest.found.version !== version) {
    throw unavailable(otherVersion(packageName, manifest.found.version));
  }
  checkSize(name, manifest.found);
  const binary = look(name, 'package');
  if (binary.found === undefined) throw unavailable(firstLine(binary.error), binary.error);
  return checkVersion(binary.found, packageName);
}

/**
 * Checks the size of the binary. Loading a truncated file, for example one that was written to a full disk, ends the
 * process with SIGBUS.
 *
 * @param {string} name
 * @param {{ name: string, binarySize?: number }} manifest
 */
function checkSize(name, { name: packageName, binarySize }) {
  const path = look(name, 'path').found;
  // The path is unknown if a bundler has moved the binary. Only published packages have the size.
  if (path === undefined || binarySize === undefined) return;
  const { size } = statSync(path);
  if (size !== binarySize) {
    throw unavailable(
      `${path} is damaged: it has ${size} bytes instead of ${binarySize}; install ${packageName} again`
    );
  }
}

/**
 * @param {string} what
 * @param {string} found
 * @param {string} [remedy]
 */
function otherVersion(what, found, remedy = 'Install the same version of both') {
  return `${what} has version ${found}, but baileys-native has version ${version}. ${remedy}`;
}

/**
 * @param {Binding} binding
 * @param {string} what
 * @param {string} [remedy]
 */
function checkVersion(binding, what, remedy) {
  const { addonVersion } = binding;
  const found = typeof addonVersion === 'function' ? addonVersion() : 'unknown';
  if (found === version) return binding;
  throw unavailable(otherVersion(what, found, remedy));
}

module.exports = { UNAVAILABLE, loadBinding };
