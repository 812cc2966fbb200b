// Verifies XEdDSA signatures of Curve25519 keys by Ed25519 of node:crypto.
//
// Baileys' `Curve.verify` is not used: it expects that libsignal throws for a wrong signature. libsignal 6 returns
// false instead, so that every signature of 64 bytes would be accepted.

import { createPublicKey, verify } from 'node:crypto';

const P = 2n ** 255n - 19n;
const SPKI_ED25519 = Buffer.from('302a300506032b6570032100', 'hex');

/**
 * @param {bigint} base
 * @param {bigint} exponent
 */
function power(base, exponent) {
  let result = 1n;
  for (let square = base % P, rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % P;
    square = (square * square) % P;
  }
  return result;
}

/**
 * Converts a Montgomery public key to Edwards form: y = (u - 1) / (u + 1), with the given sign of x.
 *
 * @param {Uint8Array} key
 * @param {number} sign
 */
function toEdwards(key, sign) {
  const masked = Buffer.from(key).reverse();
  masked[0] &= 0x7f;
  const u = BigInt(`0x${masked.toString('hex')}`) % P;
  const y = ((u + P - 1n) * power(u + 1n, P - 2n)) % P;
  const bytes = Buffer.from(y.toString(16).padStart(64, '0'), 'hex').reverse();
  bytes[31] |= sign;
  return bytes;
}

/**
 * @param {Uint8Array} publicKey 32 bytes.
 * @param {Uint8Array} message
 * @param {Uint8Array} signature 64 bytes. The highest bit is the sign of x of the Edwards key.
 */
export function verifySignature(publicKey, message, signature) {
  if (publicKey?.length !== 32 || signature?.length !== 64) return false;
  const plain = Buffer.from(signature);
  const sign = plain[63] & 0x80;
  plain[63] &= 0x7f;
  const key = createPublicKey({
    key: Buffer.concat([SPKI_ED25519, toEdwards(publicKey, sign)]),
    format: 'der',
    type: 'spki'
  });
  return verify(null, message, key, plain);
}
