'use strict';

/** What the replaced modules of a copy of Baileys call when they are evaluated. */

const { warnOnce } = require('./state.cjs');

/**
 * @typedef {object} Facts
 * @property {string} root
 * @property {string} version
 * @property {'7' | '6.7' | '6.17'} dialect
 */

/** @typedef {() => object | undefined} CertDetails */

/** @type {Map<string, { dropIn: Record<string, unknown> | undefined, certDetails: CertDetails | undefined }>} */
const byRoot = new Map();

/**
 * The drop-in of one copy of Baileys, made once; undefined (after a warning) when the addon cannot be loaded.
 *
 * @param {Facts} facts
 * @param {CertDetails} [certDetails] Reads that copy's `WA_CERT_DETAILS`; called at handshake time.
 * @returns {Record<string, unknown> | undefined}
 */
function dropInFor(facts, certDetails) {
  let entry = byRoot.get(facts.root);
  if (entry === undefined) {
    entry = { dropIn: undefined, certDetails: undefined };
    byRoot.set(facts.root, entry);
    entry.dropIn = makeDropIn(facts, entry);
  }
  // Codec and socket are often loaded before the noise handler, which alone knows where the details are.
  if (certDetails !== undefined) entry.certDetails = certDetails;
  return entry.dropIn;
}

/**
 * @param {Facts} facts
 * @param {{ certDetails: CertDetails | undefined }} entry
 */
function makeDropIn({ dialect, version }, entry) {
  try {
    const { createDropIn } = require('../drop-in.cjs');
    return createDropIn({ dialect, version, certDetails: () => entry.certDetails?.() });
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

module.exports = { dropInFor, warnLeftAlone, warnUnavailable };
