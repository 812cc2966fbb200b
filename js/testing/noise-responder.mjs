// The server's side of WhatsApp's Noise handshakes, by node:crypto. XX is the full handshake. IK is the handshake of a
// client that resumes, because it knows the server's static key. XXfallback continues a handshake that started as IK if
// the server declines to resume. The cipher suite is 25519_AESGCM_SHA256.
//
// It differs from the Noise specification in one place: no hash is mixed for the empty payload of the first message.
// In all three patterns the payload of the server's message is the certificate chain.
// A nonce is eight zero bytes and a 32-bit big-endian counter. After the handshake there is no associated data.

import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  diffieHellman,
  hkdfSync
} from 'node:crypto';
import { generateX25519 } from '../shared/x25519.cjs';

const HASH_LENGTH = 32;
const PKCS8_X25519 = Buffer.from('302e020100300506032b656e04220420', 'hex');
const SPKI_X25519 = Buffer.from('302a300506032b656e032100', 'hex');
const TAG_LENGTH = 16;
const EMPTY = Buffer.alloc(0);

/** @param {...Uint8Array} parts */
const sha256 = (...parts) => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/** @param {number} counter */
function nonce(counter) {
  if (counter > 0xffffffff) throw new Error('all 2^32 Noise counters are used');
  const iv = Buffer.alloc(12);
  iv.writeUInt32BE(counter, 8);
  return iv;
}

/**
 * @param {import('node:crypto').CipherKey} key
 * @param {number} counter
 * @param {Uint8Array} plaintext
 * @param {Uint8Array} aad
 */
function seal(key, counter, plaintext, aad) {
  const cipher = createCipheriv('aes-256-gcm', key, nonce(counter));
  if (aad.length > 0) cipher.setAAD(aad);
  const body = cipher.update(plaintext);
  cipher.final();
  return Buffer.concat([body, cipher.getAuthTag()]);
}

/**
 * @param {import('node:crypto').CipherKey} key
 * @param {number} counter
 * @param {Uint8Array} ciphertext
 * @param {Uint8Array} aad
 */
function open(key, counter, ciphertext, aad) {
  if (ciphertext.length < TAG_LENGTH) throw new Error('a sealed frame is shorter than its tag');
  const decipher = createDecipheriv('aes-256-gcm', key, nonce(counter), { authTagLength: TAG_LENGTH });
  if (aad.length > 0) decipher.setAAD(aad);
  decipher.setAuthTag(ciphertext.subarray(ciphertext.length - TAG_LENGTH));
  const body = decipher.update(ciphertext.subarray(0, ciphertext.length - TAG_LENGTH));
  decipher.final();
  return body;
}

/** @param {Uint8Array} raw */
const importPrivate = raw =>
  createPrivateKey({ key: Buffer.concat([PKCS8_X25519, raw]), format: 'der', type: 'pkcs8' });
/** @param {Uint8Array} raw */
const importPublic = raw => createPublicKey({ key: Buffer.concat([SPKI_X25519, raw]), format: 'der', type: 'spki' });

/**
 * @param {import('node:crypto').KeyObject} privateKey
 * @param {Uint8Array | undefined} publicKey
 */
function agree(privateKey, publicKey) {
  if (publicKey?.length !== 32) throw new Error(`a public key has ${publicKey?.length ?? 0} bytes, not 32`);
  return diffieHellman({ privateKey, publicKey: importPublic(publicKey) });
}

/** The ciphers of both directions after the handshake. */
export class Transport {
  #readKey;
  #writeKey;
  #readCounter = 0;
  #writeCounter = 0;

  /**
   * @param {Buffer} readKey
   * @param {Buffer} writeKey
   */
  constructor(readKey, writeKey) {
    this.#readKey = createSecretKey(readKey);
    this.#writeKey = createSecretKey(writeKey);
  }

  /** The counter that the next sealed frame will use. */
  get writeCounter() {
    return this.#writeCounter;
  }

  /** @param {Uint8Array} plaintext */
  seal(plaintext) {
    return seal(this.#writeKey, this.#writeCounter++, plaintext, EMPTY);
  }

  /** @param {Uint8Array} ciphertext */
  open(ciphertext) {
    return open(this.#readKey, this.#readCounter++, ciphertext, EMPTY);
  }

  /**
   * Sets the counter back to an earlier value. The frames that were sealed since then must not have been sent.
   *
   * @param {number} writeCounter
   */
  rewind(writeCounter) {
    if (writeCounter > this.#writeCounter) throw new RangeError('a Noise counter can only be rewound');
    this.#writeCounter = writeCounter;
  }
}

/**
 * The initial hash: the protocol name padded with zeros to 32 bytes, or its SHA-256 if it is longer.
 *
 * @param {string} pattern
 */
function startingHash(pattern) {
  const name = Buffer.from(`Noise_${pattern}_25519_AESGCM_SHA256`, 'latin1');
  return name.length > HASH_LENGTH ? sha256(name) : Buffer.concat([name], HASH_LENGTH);
}

/**
 * One handshake: {@link readClientHello}, {@link readClientFinish} and {@link split}; in IK {@link readResumption},
 * {@link acceptResumption} and {@link split}. Every key is 32 raw bytes.
 */
export class NoiseResponder {
  #hash;
  #salt;
  #key;
  #counter = 0;
  #static;
  #ephemeral = generateX25519();
  /**
   * The public keys of the client, in IK.
   *
   * @type {{ ephemeral: Uint8Array, static: Uint8Array } | undefined}
   */
  #client;

  /**
   * @param {object} options
   * @param {'XX' | 'IK' | 'XXfallback'} [options.pattern]
   * @param {Uint8Array} options.prologue The client's four header bytes, without routing info.
   * @param {{ private: Uint8Array, public: Uint8Array }} options.staticKeyPair
   */
  constructor({ pattern = 'XX', prologue, staticKeyPair }) {
    this.#hash = this.#salt = this.#key = startingHash(pattern);
    this.#static = staticKeyPair;
    this.#mixHash(prologue);
    // A pre-message of IK: the client knows the server's static key.
    if (pattern === 'IK') this.#mixHash(staticKeyPair.public);
  }

  /**
   * Answers the client's ephemeral key.
   *
   * @param {Uint8Array} clientEphemeral
   * @param {Uint8Array} certificates The encoded certificate chain of the static key.
   * @returns {{ ephemeral: Buffer, static: Buffer, payload: Buffer }} The fields of ServerHello.
   */
  readClientHello(clientEphemeral, certificates) {
    const ephemeral = this.#ephemeral.public;
    this.#mixHash(clientEphemeral);
    this.#mixHash(ephemeral);
    this.#mixKey(agree(importPrivate(this.#ephemeral.private), clientEphemeral));
    const sealedStatic = this.#seal(this.#static.public);
    this.#mixKey(agree(importPrivate(this.#static.private), clientEphemeral));
    return { ephemeral, static: sealedStatic, payload: this.#seal(certificates) };
  }

  /**
   * Opens the client's last handshake message.
   *
   * @param {{ static: Uint8Array, payload: Uint8Array }} finish
   * @returns {{ clientStatic: Buffer, payload: Buffer }}
   */
  readClientFinish({ static: sealedStatic, payload }) {
    const clientStatic = this.#open(sealedStatic);
    this.#mixKey(agree(importPrivate(this.#ephemeral.private), clientStatic));
    return { clientStatic, payload: this.#open(payload) };
  }

  /**
   * Opens a ClientHello of IK.
   *
   * @param {{ ephemeral: Uint8Array, static: Uint8Array, payload: Uint8Array }} hello
   * @returns {{ clientStatic: Buffer, payload: Buffer } | undefined} Undefined if it is not for this static key.
   */
  readResumption({ ephemeral, static: sealedStatic, payload: sealedPayload }) {
    const ours = importPrivate(this.#static.private);
    this.#mixHash(ephemeral);
    this.#mixKey(agree(ours, ephemeral));
    try {
      const clientStatic = this.#open(sealedStatic);
      this.#mixKey(agree(ours, clientStatic));
      const payload = this.#open(sealedPayload);
      this.#client = { ephemeral, static: clientStatic };
      return { clientStatic, payload };
    } catch {
      return undefined;
    }
  }

  /**
   * Answers the opened ClientHello of IK.
   *
   * @param {Uint8Array} certificates The encoded certificate chain of the static key.
   * @returns {{ ephemeral: Buffer, payload: Buffer }} The fields of ServerHello.
   */
  acceptResumption(certificates) {
    const ephemeral = this.#ephemeral.public;
    this.#mixHash(ephemeral);
    this.#mixKey(agree(importPrivate(this.#ephemeral.private), this.#client?.ephemeral));
    this.#mixKey(agree(importPrivate(this.#ephemeral.private), this.#client?.static));
    return { ephemeral, payload: this.#seal(certificates) };
  }

  /** Ends the handshake. The client seals with the first key and opens with the second one; the server does the reverse. */
  split() {
    const [fromClient, toClient] = this.#derive(EMPTY);
    return new Transport(fromClient, toClient);
  }

  /** @param {Uint8Array} input */
  #derive(input) {
    const okm = Buffer.from(hkdfSync('sha256', input, this.#salt, EMPTY, 64));
    return [okm.subarray(0, 32), okm.subarray(32)];
  }

  /** @param {Uint8Array} data */
  #mixHash(data) {
    this.#hash = sha256(this.#hash, data);
  }

  /** @param {Uint8Array} secret */
  #mixKey(secret) {
    [this.#salt, this.#key] = this.#derive(secret);
    this.#counter = 0;
  }

  /** @param {Uint8Array} plaintext */
  #seal(plaintext) {
    const ciphertext = seal(this.#key, this.#counter++, plaintext, this.#hash);
    this.#mixHash(ciphertext);
    return ciphertext;
  }

  /** @param {Uint8Array} ciphertext */
  #open(ciphertext) {
    const plaintext = open(this.#key, this.#counter++, ciphertext, this.#hash);
    this.#mixHash(ciphertext);
    return plaintext;
  }
}
