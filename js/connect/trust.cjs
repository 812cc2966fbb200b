'use strict';

// Root keys for the Noise certificate chain of the server. There is always at least one.

/** The root key of WhatsApp: `WA_CERT_DETAILS.PUBLIC_KEY` in Baileys. */
const WHATSAPP_ROOT = Buffer.from('142375574d0a587166aae71ebe516437c4a28b73e3695c6ce1f7f9545da8ee6b', 'hex');

/**
 * Root keys of test servers, added by {@link addTrustedRoot}.
 *
 * @type {Buffer[]}
 */
const added = [];

/**
 * The trusted keys, joined in one Buffer.
 *
 * @param {Uint8Array} [explicit] a key of the caller; if given, it is the only trusted key
 */
function trustedRoots(explicit) {
  if (explicit !== undefined) {
    // A Buffer made from a SharedArrayBuffer would be a view, not a copy.
    if (!(explicit instanceof Uint8Array)) throw new TypeError('trustedRoot is not a Buffer or Uint8Array');
    return explicit;
  }
  return added.length === 0 ? WHATSAPP_ROOT : Buffer.concat([WHATSAPP_ROOT, ...added]);
}

/**
 * Adds the root key of a test server, for releases of Baileys that pass no root key to the noise handler.
 *
 * @param {Uint8Array} key 32 bytes
 * @returns {() => void} removes the key
 */
function addTrustedRoot(key) {
  if (!(key instanceof Uint8Array) || key.length !== 32) throw new TypeError('a root key must have 32 bytes');
  const root = Buffer.from(key);
  added.push(root);
  return () => {
    const index = added.indexOf(root);
    if (index >= 0) added.splice(index, 1);
  };
}

module.exports = { WHATSAPP_ROOT, trustedRoots, addTrustedRoot };
