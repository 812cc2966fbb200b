// The cryptography of WhatsApp's Noise handshake by node:crypto, for test vectors and for tests of the addon.

import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync
} from 'node:crypto';

/** @typedef {import('../../index.d.ts').KeyPair} KeyPair */

const PKCS8_X25519 = Buffer.from('302e020100300506032b656e04220420', 'hex');
const SPKI_X25519 = Buffer.from('302a300506032b656e032100', 'hex');
const TAG_LENGTH = 16;

/** @param {string | Uint8Array} data */
export const sha256 = data => createHash('sha256').update(data).digest();

/** @param {Uint8Array} raw */
const importPrivate = raw =>
  createPrivateKey({ key: Buffer.concat([PKCS8_X25519, raw]), format: 'der', type: 'pkcs8' });
/** @param {Uint8Array} raw */
const importPublic = raw => createPublicKey({ key: Buffer.concat([SPKI_X25519, raw]), format: 'der', type: 'spki' });

/**
 * The X25519 key pair of 32 private bytes.
 *
 * @param {Buffer} raw
 */
export const x25519KeyPair = raw => {
  const der = createPublicKey(importPrivate(raw)).export({ format: 'der', type: 'spki' });
  return { private: raw, public: der.subarray(SPKI_X25519.length) };
};

/**
 * @param {Uint8Array} privateKey
 * @param {Uint8Array} publicKey
 */
export const sharedSecret = (privateKey, publicKey) =>
  diffieHellman({ privateKey: importPrivate(privateKey), publicKey: importPublic(publicKey) });

/** @param {number} counter */
const nonce = counter => {
  const iv = Buffer.alloc(12);
  iv.writeUInt32BE(counter, 8);
  return iv;
};

/**
 * AES-256-GCM. The result has the tag at its end.
 *
 * @param {Uint8Array} key
 * @param {number} counter
 * @param {Uint8Array} aad
 * @param {Uint8Array} plaintext
 */
export function seal(key, counter, aad, plaintext) {
  const cipher = createCipheriv('aes-256-gcm', key, nonce(counter));
  cipher.setAAD(aad);
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

/**
 * The inverse of {@link seal}.
 *
 * @param {Uint8Array} key
 * @param {number} counter
 * @param {Uint8Array} aad
 * @param {Uint8Array} ciphertext
 */
export function open(key, counter, aad, ciphertext) {
  const decipher = createDecipheriv('aes-256-gcm', key, nonce(counter));
  decipher.setAAD(aad);
  decipher.setAuthTag(ciphertext.subarray(-TAG_LENGTH));
  return Buffer.concat([decipher.update(ciphertext.subarray(0, -TAG_LENGTH)), decipher.final()]);
}

/**
 * HKDF with two outputs of 32 bytes.
 *
 * @param {Uint8Array} chainingKey
 * @param {Uint8Array} input
 */
export function derive(chainingKey, input) {
  const keys = Buffer.from(hkdfSync('sha256', input, chainingKey, '', 64));
  return [keys.subarray(0, 32), keys.subarray(32)];
}
