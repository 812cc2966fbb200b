'use strict';

const { generateKeyPairSync } = require('node:crypto');

/**
 * Generates an X25519 key pair. Each key has 32 bytes.
 *
 * The keys are not exported as JWK: in Node.js 20 such an export locks the key, and garbage collection during it locks
 * the key again. Then the process stands still.
 */
function generateX25519() {
  const { publicKey, privateKey } = generateKeyPairSync('x25519', {
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'der' }
  });
  // Both encodings end with the key.
  return { public: publicKey.subarray(-32), private: privateKey.subarray(-32) };
}

module.exports = { generateX25519 };
