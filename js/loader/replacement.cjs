'use strict';

/** What the replaced modules of a copy of Baileys call when they are evaluated. */

const { state, warnOnce } = require('./state.cjs');

/**
 * @typedef {object} Facts
 * @property {string} root
 * @property {string} version
 * @property {'7' | '6.7' | '6.17'} dialect
 */

/**
 * @typedef {object} Originals What a copy of Baileys has; called when it is needed.
 * @property {() => object | undefined} [certDetails] Its `WA_CERT_DETAILS`.
 * @property {() => any} [webSocketClient] Its own `WebSocketClient`.
 */

/** @type {Map<string, { dropIn: Record<string, unknown> | undefined, originals: Originals }>} */
const byRoot = new Map();

/**
 * The drop-in of one copy of Baileys, made once; undefined (after a warning) when the addon cannot be loaded.
 *
 * @param {Facts} facts
 * @param {Originals} [originals] Those that the module at hand knows.
 * @returns {Record<string, unknown> | undefined}
 */
function dropInFor(facts, originals) {
  let entry = byRoot.get(facts.root);
  if (entry === undefined) {
    entry = { dropIn: undefined, originals: {} };
    byRoot.set(facts.root, entry);
    entry.dropIn = makeDropIn(facts, entry.originals);
  }
  // Each module knows its own; the first to be loaded is seldom the one whose originals are asked for.
  Object.assign(entry.originals, originals);
  return entry.dropIn;
}

/**
 * @param {Facts} facts
 * @param {Originals} originals
 */
function makeDropIn({ root, dialect, version }, originals) {
  try {
    const { createDropIn } = require('../baileys/drop-in.cjs');
    const dropIn = createDropIn({
      dialect,
      version,
      certDetails: () => originals.certDetails?.(),
      webSocketClient: () => originals.webSocketClient?.()
    });
    state.replaced.push({ root, version });
    return dropIn;
  } catch (error) {
    warnUnavailable(error);
    return undefined;
  }
}

/** @param {unknown} error */
function warnUnavailable(error) {
  const message = error instanceof Error ? error.message : String(error);
  warnOnce('BAILEYS_NATIVE_UNAVAILABLE', `baileys-native is inactive, Baileys runs on JavaScript: ${message}`);
}

/** @param {string} reason */
function warnLeftAlone(reason) {
  warnOnce('BAILEYS_NATIVE_UNSUPPORTED', reason);
}

/** @param {import('./targets.cjs').Copy} copy */
function warnLate({ root, version }) {
  warnOnce(
    'BAILEYS_NATIVE_LATE',
    `baileys ${version} at ${root} was loaded before baileys-native/register and stays on its JavaScript; ` +
      'use node --import baileys-native/register, or require it first'
  );
}

module.exports = { dropInFor, warnLate, warnLeftAlone, warnUnavailable };
