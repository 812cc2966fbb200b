'use strict';

/** Functions that the replaced modules of Baileys call. */

const { createRequire } = require('node:module');
const { join } = require('node:path');
const { environmentSwitch } = require('../shared/environment.cjs');
const { warnOnce } = require('../shared/warn-once.cjs');
const { adviceFor } = require('./causes.cjs');
const { state } = require('./state.cjs');
const { locationOfTimeout } = require('./targets.cjs');

/**
 * @typedef {object} ModuleFacts Facts about a replaced module.
 * @property {string} root Directory of the package.json of its copy.
 * @property {string} name
 * @property {string} version
 * @property {import('../shared/baileys-layout.cjs').Dialect} dialect
 * @property {readonly string[]} names The replaced exports.
 */

/**
 * @typedef {object} Originals Getters for originals of a copy of Baileys.
 * @property {() => object | undefined} [certDetails] Its `WA_CERT_DETAILS`.
 * @property {() => any} [webSocketClient] Its own `WebSocketClient`.
 */

/**
 * @typedef {object} CopyReplacements The replacements for one copy of Baileys.
 * @property {Record<string, unknown> | undefined} dropIn Undefined if the addon cannot be loaded.
 * @property {Originals} originals
 * @property {import('../../index').ReplacedCopy} copy
 */

/** @type {Map<string, CopyReplacements>} */
const byRoot = new Map();

/**
 * The drop-in of one copy of Baileys, created once. If the addon cannot be loaded, it warns and returns undefined.
 *
 * @param {ModuleFacts} facts
 * @param {Originals} [originals] Getters that the calling module provides.
 * @returns {Record<string, unknown> | undefined}
 */
function dropInFor(facts, originals) {
  const { root, version, names } = facts;
  let entry = byRoot.get(root);
  if (entry === undefined) {
    entry = { dropIn: undefined, originals: {}, copy: { root, version, exports: [] } };
    byRoot.set(root, entry);
    entry.dropIn = makeDropIn(facts, entry.originals);
    if (entry.dropIn !== undefined) {
      state.replaced.push(entry.copy);
      if (environmentSwitch('BAILEYS_NATIVE') === 'verbose') announce(facts);
    }
  }
  // Each replaced module of the copy provides some of the getters.
  Object.assign(entry.originals, originals);
  for (const name of names) if (!entry.copy.exports.includes(name)) entry.copy.exports.push(name);
  return entry.dropIn;
}

/** @param {ModuleFacts} facts */
function announce({ name, version, root }) {
  const { name: own, version: ownVersion } = require('../../package.json');
  process.stderr.write(`${name} ${version} at ${root} runs on ${own} ${ownVersion}\n`);
}

/**
 * @param {ModuleFacts} facts
 * @param {Originals} originals
 */
function makeDropIn({ root, dialect }, originals) {
  try {
    const { createDropIn } = require('../baileys/drop-in.cjs');
    return createDropIn({
      dialect,
      certDetails: () => originals.certDetails?.(),
      webSocketClient: () => originals.webSocketClient?.(),
      timeoutParts: {
        boom: () => createRequire(join(root, 'package.json'))('@hapi/boom').Boom,
        location: () => locationOfTimeout(root)
      }
    });
  } catch (error) {
    warnUnavailable(error);
    return undefined;
  }
}

/** @param {unknown} error */
function warnUnavailable(error) {
  const message = error instanceof Error ? error.message : String(error);
  const text = `baileys-native is inactive, and Baileys uses its own JavaScript code. ${adviceFor(error)}${message}`;
  warnOnce('BAILEYS_NATIVE_UNAVAILABLE', text);
}

/**
 * @param {string} reason
 * @param {string} code
 * @param {string} root root of the copy
 */
function warnNotReplaced(reason, code, root) {
  state.notReplaced.add(root);
  warnOnce(code, reason);
}

/** @param {import('./targets.cjs').Copy} copy */
function warnLate({ root, version }) {
  state.notReplaced.add(root);
  warnOnce(
    'BAILEYS_NATIVE_LATE',
    `baileys ${version} at ${root} was loaded before baileys-native/register and is not replaced. ` +
      'Use node --import baileys-native/register, or require baileys-native/register first'
  );
}

module.exports = { dropInFor, warnLate, warnNotReplaced, warnUnavailable };
