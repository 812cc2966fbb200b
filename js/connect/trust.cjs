'use strict';

// Root keys of the Noise certificate chain. A server's chain must end in one of them; there is always at least one.

/** WhatsApp's (Baileys' `WA_CERT_DETAILS.PUBLIC_KEY`). */
const WHATSAPP_ROOT = Buffer.from('142375574d0a587166aae71ebe516437c4a28b73e3695c6ce1f7f9545da8ee6b', 'hex');

/** Root keys of test servers, added by {@link addTrustedRoot}. */
const added = [];

/**
 * The keys to try, one after another in one Buffer.
 *
 * @param {Uint8Array} [explicit] the caller's own choice, which then is the only one
 */
function trustedRoots(explicit) {
  if (explicit !== undefined) return explicit;
  return added.length === 0 ? WHATSAPP_ROOT : Buffer.concat([WHATSAPP_ROOT, ...added]);
}

/**
 * Trusts the root of a test server as well, in handlers that are given none: for a Baileys without a root key of its own.
 *
 * @param {Uint8Array} key 32 bytes
 * @returns {() => void} takes it back
 */
function addTrustedRoot(key) {
  if (!(key instanceof Uint8Array) || key.length !== 32) throw new TypeError('a root key is 32 bytes');
  const root = Buffer.from(key);
  added.push(root);
  return () => {
    const index = added.indexOf(root);
    if (index >= 0) added.splice(index, 1);
  };
}

module.exports = { WHATSAPP_ROOT, trustedRoots, addTrustedRoot };
