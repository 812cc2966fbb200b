// The server side of a noise handler. The caller passes its keys, so that a run is reproducible.

import { derive, open, seal, sha256, sharedSecret, x25519KeyPair } from '../../scripts/shared/noise-crypto.mjs';

const NAME = Buffer.from('Noise_XX_25519_AESGCM_SHA256\0\0\0\0', 'latin1');
const EMPTY = Buffer.alloc(0);

/** An X25519 key pair of 32 private bytes, in Baileys' shape. */
export function keyPairOf(raw) {
  // Clamped like in libsignal, because XEdDSA signs with the unchanged scalar.
  const bytes = Buffer.from(raw);
  bytes[0] &= 248;
  bytes[31] = (bytes[31] & 127) | 64;
  return x25519KeyPair(bytes);
}

export const agree = (pair, other) => sharedSecret(pair.private, other);

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
    if (!this.#transport) this.#hash = sha256(Buffer.concat([this.#hash, data]));
  }

  mixIntoKey(data) {
    [this.#salt, this.#key] = derive(this.#salt, data);
    this.#counter = 0;
  }

  finishInit() {
    const [inward, outward] = derive(this.#salt, EMPTY);
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
}

export function framed(body) {
  return Buffer.concat([Buffer.from([body.length >> 16, (body.length >> 8) & 255, body.length & 255]), body]);
}
