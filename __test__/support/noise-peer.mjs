// The server side of a noise handler, implemented with node:crypto. The caller passes its keys, so that a run is
// reproducible.

import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync
} from 'node:crypto';

const NAME = Buffer.from('Noise_XX_25519_AESGCM_SHA256\0\0\0\0', 'latin1');
const PKCS8 = Buffer.from('302e020100300506032b656e04220420', 'hex');
const SPKI = Buffer.from('302a300506032b656e032100', 'hex');
const EMPTY = Buffer.alloc(0);

const privateKey = raw => createPrivateKey({ key: Buffer.concat([PKCS8, raw]), format: 'der', type: 'pkcs8' });
const publicKey = raw => createPublicKey({ key: Buffer.concat([SPKI, raw]), format: 'der', type: 'spki' });

/** An X25519 key pair of 32 private bytes, in Baileys' shape. */
export function keyPairOf(raw) {
  // Clamped like in libsignal, because XEdDSA signs with the unchanged scalar.
  const bytes = Buffer.from(raw);
  bytes[0] &= 248;
  bytes[31] = (bytes[31] & 127) | 64;
  const { x } = createPublicKey(privateKey(bytes)).export({ format: 'jwk' });
  return { private: bytes, public: Buffer.from(x, 'base64url') };
}

export const agree = (pair, other) =>
  diffieHellman({ privateKey: privateKey(pair.private), publicKey: publicKey(other) });

function crypt(create, key, counter, aad, tag) {
  const iv = Buffer.alloc(12);
  iv.writeUInt32BE(counter, 8);
  const cipher = create('aes-256-gcm', key, iv);
  cipher.setAAD(aad);
  if (tag) cipher.setAuthTag(tag);
  return cipher;
}

function seal(key, counter, aad, plaintext) {
  const cipher = crypt(createCipheriv, key, counter, aad);
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

function open(key, counter, aad, ciphertext) {
  const body = ciphertext.subarray(0, ciphertext.length - 16);
  const decipher = crypt(createDecipheriv, key, counter, aad, ciphertext.subarray(ciphertext.length - 16));
  return Buffer.concat([decipher.update(body), decipher.final()]);
}

/** A peer with the same state as a handler with the same header and public key. */
export class NoisePeer {
  #hash = NAME;
  #salt = NAME;
  #key = NAME;
  #counter = 0;
  /** After the handshake: the keys and counters of both directions. */
  #transport;

  constructor({ header, publicKey }) {
    this.authenticate(header);
    this.authenticate(publicKey);
  }

  authenticate(data) {
    if (!this.#transport) this.#hash = createHash('sha256').update(this.#hash).update(data).digest();
  }

  mixIntoKey(data) {
    [this.#salt, this.#key] = this.#derive(data);
    this.#counter = 0;
  }

  finishInit() {
    const [inward, outward] = this.#derive(EMPTY);
    this.#transport = { inward, outward, received: 0, sent: 0 };
  }

  /** Seals the next data for the handler. */
  seal(plaintext) {
    const transport = this.#transport;
    if (transport) return seal(transport.outward, transport.sent++, EMPTY, plaintext);
    const ciphertext = seal(this.#key, this.#counter++, this.#hash, plaintext);
    this.authenticate(ciphertext);
    return ciphertext;
  }

  /** Like {@link seal}, for a message that does not arrive: a counter value is used, but no hash is mixed. */
  sealLost(plaintext) {
    const transport = this.#transport;
    if (transport) return seal(transport.outward, transport.sent++, EMPTY, plaintext);
    return seal(this.#key, this.#counter++, this.#hash, plaintext);
  }

  /** Opens data that the handler has encrypted. */
  open(ciphertext) {
    const transport = this.#transport;
    if (transport) return open(transport.inward, transport.received++, EMPTY, ciphertext);
    const plaintext = open(this.#key, this.#counter++, this.#hash, ciphertext);
    this.authenticate(ciphertext);
    return plaintext;
  }

  #derive(data) {
    const keys = Buffer.from(hkdfSync('sha256', data, this.#salt, EMPTY, 64));
    return [keys.subarray(0, 32), keys.subarray(32)];
  }
}

export function framed(body) {
  return Buffer.concat([Buffer.from([body.length >> 16, (body.length >> 8) & 255, body.length & 255]), body]);
}
