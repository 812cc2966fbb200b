// The server's half of Noise_XX_25519_AESGCM_SHA256 as WhatsApp runs it, on node:crypto alone.
//
// It differs from the Noise specification in one place: no hash is mixed for the empty payload of the first message.
// Nonces are eight zero bytes and a 32-bit big-endian counter; after the handshake there is no additional data.

import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync
} from 'node:crypto';

/** 28 bytes, padded with zeros to the length of a hash, so that it is used as it is. */
const PROTOCOL_NAME = Buffer.from('Noise_XX_25519_AESGCM_SHA256\0\0\0\0', 'latin1');
const PKCS8_X25519 = Buffer.from('302e020100300506032b656e04220420', 'hex');
const SPKI_X25519 = Buffer.from('302a300506032b656e032100', 'hex');
const TAG_LENGTH = 16;
const EMPTY = Buffer.alloc(0);

const sha256 = (...parts) => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

function nonce(counter) {
  if (counter > 0xffffffff) throw new Error('the Noise counter is exhausted');
  const iv = Buffer.alloc(12);
  iv.writeUInt32BE(counter, 8);
  return iv;
}

function seal(key, counter, plaintext, aad) {
  const cipher = createCipheriv('aes-256-gcm', key, nonce(counter));
  if (aad.length > 0) cipher.setAAD(aad);
  const body = cipher.update(plaintext);
  cipher.final();
  return Buffer.concat([body, cipher.getAuthTag()]);
}

function open(key, counter, ciphertext, aad) {
  if (ciphertext.length < TAG_LENGTH) throw new Error('a sealed frame is shorter than its tag');
  const decipher = createDecipheriv('aes-256-gcm', key, nonce(counter), { authTagLength: TAG_LENGTH });
  if (aad.length > 0) decipher.setAAD(aad);
  decipher.setAuthTag(ciphertext.subarray(ciphertext.length - TAG_LENGTH));
  const body = decipher.update(ciphertext.subarray(0, ciphertext.length - TAG_LENGTH));
  decipher.final();
  return body;
}

const importPrivate = raw =>
  createPrivateKey({ key: Buffer.concat([PKCS8_X25519, raw]), format: 'der', type: 'pkcs8' });
const importPublic = raw => createPublicKey({ key: Buffer.concat([SPKI_X25519, raw]), format: 'der', type: 'spki' });

function agree(privateKey, publicKey) {
  if (publicKey?.length !== 32) throw new Error(`a public key has ${publicKey?.length ?? 0} bytes, not 32`);
  return diffieHellman({ privateKey, publicKey: importPublic(publicKey) });
}

/** What both directions of an established connection are sealed with. */
export class Transport {
  #readKey;
  #writeKey;
  #readCounter = 0;
  #writeCounter = 0;

  constructor(readKey, writeKey) {
    this.#readKey = createSecretKey(readKey);
    this.#writeKey = createSecretKey(writeKey);
  }

  /** The counter that the next sealed frame will use. */
  get writeCounter() {
    return this.#writeCounter;
  }

  seal(plaintext) {
    return seal(this.#writeKey, this.#writeCounter++, plaintext, EMPTY);
  }

  open(ciphertext) {
    return open(this.#readKey, this.#readCounter++, ciphertext, EMPTY);
  }

  /** Gives back counters of frames that were sealed and never sent. */
  rewind(writeCounter) {
    if (writeCounter > this.#writeCounter) throw new RangeError('a Noise counter can only be rewound');
    this.#writeCounter = writeCounter;
  }
}

/**
 * One handshake: {@link readClientHello}, then {@link readClientFinish}, then {@link split}.
 * Every key is 32 raw bytes.
 */
export class NoiseResponder {
  #hash = PROTOCOL_NAME;
  #salt = PROTOCOL_NAME;
  #key = PROTOCOL_NAME;
  #counter = 0;
  #static;
  #ephemeral = generateKeyPairSync('x25519');

  /**
   * @param {object} options
   * @param {Uint8Array} options.prologue The client's four header bytes, without routing info.
   * @param {{ private: Uint8Array, public: Uint8Array }} options.staticKeyPair
   */
  constructor({ prologue, staticKeyPair }) {
    this.#static = staticKeyPair;
    this.#mixHash(prologue);
  }

  /**
   * Answers the client's ephemeral key.
   *
   * @param {Uint8Array} clientEphemeral
   * @param {Uint8Array} certificates The encoded chain that vouches for the static key.
   * @returns {{ ephemeral: Buffer, static: Buffer, payload: Buffer }} The fields of ServerHello.
   */
  readClientHello(clientEphemeral, certificates) {
    const { x = '' } = this.#ephemeral.publicKey.export({ format: 'jwk' });
    const ephemeral = Buffer.from(x, 'base64url');
    this.#mixHash(clientEphemeral);
    this.#mixHash(ephemeral);
    this.#mixKey(agree(this.#ephemeral.privateKey, clientEphemeral));
    const sealedStatic = this.#seal(this.#static.public);
    this.#mixKey(agree(importPrivate(this.#static.private), clientEphemeral));
    return { ephemeral, static: sealedStatic, payload: this.#seal(certificates) };
  }

  /**
   * Opens the client's last handshake message.
   *
   * @returns {{ clientStatic: Buffer, payload: Buffer }}
   */
  readClientFinish({ static: sealedStatic, payload }) {
    const clientStatic = this.#open(sealedStatic);
    this.#mixKey(agree(this.#ephemeral.privateKey, clientStatic));
    return { clientStatic, payload: this.#open(payload) };
  }

  /** The client writes with the first key and reads with the second; the server the other way round. */
  split() {
    const [fromClient, toClient] = this.#derive(EMPTY);
    return new Transport(fromClient, toClient);
  }

  #derive(input) {
    const okm = Buffer.from(hkdfSync('sha256', input, this.#salt, EMPTY, 64));
    return [okm.subarray(0, 32), okm.subarray(32)];
  }

  #mixHash(data) {
    this.#hash = sha256(this.#hash, data);
  }

  #mixKey(secret) {
    [this.#salt, this.#key] = this.#derive(secret);
    this.#counter = 0;
  }

  #seal(plaintext) {
    const ciphertext = seal(this.#key, this.#counter++, plaintext, this.#hash);
    this.#mixHash(ciphertext);
    return ciphertext;
  }

  #open(ciphertext) {
    const plaintext = open(this.#key, this.#counter++, ciphertext, this.#hash);
    this.#mixHash(ciphertext);
    return plaintext;
  }
}
