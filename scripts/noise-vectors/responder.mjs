/**
 * The server's side of WhatsApp's handshake by `node:crypto`, and deterministic keys for it.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync
} from 'node:crypto';

/** @typedef {{ private: Uint8Array, public: Uint8Array }} KeyPair */
/**
 * The exports of one release, also internal ones.
 *
 * @typedef {Record<string, any> & { proto: any, Curve: any }} Baileys
 */

const PRIVATE_PREFIX = Buffer.from('302e020100300506032b656e04220420', 'hex');
const PUBLIC_PREFIX = Buffer.from('302a300506032b656e032100', 'hex');
const TAG_LENGTH = 16;

/** @param {string | Uint8Array} data */
export const sha256 = data => createHash('sha256').update(data).digest();

/** @param {Uint8Array} key */
const privateKeyObject = key =>
  createPrivateKey({ key: Buffer.concat([PRIVATE_PREFIX, key]), format: 'der', type: 'pkcs8' });
/** @param {Uint8Array} key */
const publicKeyObject = key =>
  createPublicKey({ key: Buffer.concat([PUBLIC_PREFIX, key]), format: 'der', type: 'spki' });

/**
 * The key pair of a name. It is the same on every run.
 *
 * @param {string} name
 * @returns {{ private: Buffer, public: Buffer }}
 */
export const keyPairOf = name => {
  const privateKey = sha256(`baileys-native vector key: ${name}`);
  const der = createPublicKey(privateKeyObject(privateKey)).export({ format: 'der', type: 'spki' });
  return { private: privateKey, public: der.subarray(PUBLIC_PREFIX.length) };
};

/** @param {Uint8Array} privateKey @param {Uint8Array} publicKey */
const sharedSecret = (privateKey, publicKey) =>
  diffieHellman({ privateKey: privateKeyObject(privateKey), publicKey: publicKeyObject(publicKey) });

/** @param {number} counter */
const ivOf = counter => {
  const iv = Buffer.alloc(12);
  iv.writeUInt32BE(counter, 8);
  return iv;
};

/**
 * @param {Uint8Array} key
 * @param {number} counter
 * @param {Uint8Array} associated
 * @param {Uint8Array} plaintext
 */
const seal = (key, counter, associated, plaintext) => {
  const cipher = createCipheriv('aes-256-gcm', key, ivOf(counter));
  cipher.setAAD(associated);
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
};

/**
 * @param {Uint8Array} key
 * @param {number} counter
 * @param {Uint8Array} associated
 * @param {Uint8Array} ciphertext
 */
const open = (key, counter, associated, ciphertext) => {
  const decipher = createDecipheriv('aes-256-gcm', key, ivOf(counter));
  decipher.setAAD(associated);
  decipher.setAuthTag(ciphertext.subarray(-TAG_LENGTH));
  return Buffer.concat([decipher.update(ciphertext.subarray(0, -TAG_LENGTH)), decipher.final()]);
};

/**
 * @param {Uint8Array} chainingKey
 * @param {Uint8Array} input
 */
const derive = (chainingKey, input) => {
  const bytes = Buffer.from(hkdfSync('sha256', input, chainingKey, '', 64));
  return [bytes.subarray(0, 32), bytes.subarray(32)];
};

/** The server in one handshake and in the transport phase. */
export class Responder {
  /** The current key of the handshake. @type {Buffer} */
  key = Buffer.alloc(0);
  counter = 0;
  /** The keys and counters after the handshake. */
  transport = { clientToServer: this.key, serverToClient: this.key, sent: 0, received: 0 };

  /** @param {{ header: Buffer, ephemeral: KeyPair, staticKey: KeyPair }} options */
  constructor({ header, ephemeral, staticKey }) {
    this.ephemeral = ephemeral;
    this.staticKey = staticKey;
    this.hash = Buffer.from('Noise_XX_25519_AESGCM_SHA256\0\0\0\0');
    this.chainingKey = this.hash;
    this.mixHash(header);
  }

  /** @param {Uint8Array} data */
  mixHash(data) {
    this.hash = sha256(Buffer.concat([this.hash, data]));
  }

  /** @param {Uint8Array} input */
  mixKey(input) {
    [this.chainingKey, this.key] = derive(this.chainingKey, input);
    this.counter = 0;
  }

  /** @param {Uint8Array} plaintext */
  encryptAndHash(plaintext) {
    const ciphertext = seal(this.key, this.counter++, this.hash, plaintext);
    this.mixHash(ciphertext);
    return ciphertext;
  }

  /** @param {Uint8Array} ciphertext */
  decryptAndHash(ciphertext) {
    const plaintext = open(this.key, this.counter++, this.hash, ciphertext);
    this.mixHash(ciphertext);
    return plaintext;
  }

  /**
   * @param {Uint8Array} clientEphemeral
   * @param {Uint8Array} chain
   * @returns the fields of ServerHello
   */
  serverHello(clientEphemeral, chain) {
    this.mixHash(clientEphemeral);
    this.mixHash(this.ephemeral.public);
    this.mixKey(sharedSecret(this.ephemeral.private, clientEphemeral));
    const sealedStatic = this.encryptAndHash(this.staticKey.public);
    this.mixKey(sharedSecret(this.staticKey.private, clientEphemeral));
    return { ephemeral: this.ephemeral.public, static: sealedStatic, payload: this.encryptAndHash(chain) };
  }

  /**
   * @param {{ static: Uint8Array, payload: Uint8Array }} finish
   * @returns the client's static key and payload. Afterwards `seal` and `open` can be called.
   */
  clientFinish({ static: sealedStatic, payload }) {
    const clientStatic = this.decryptAndHash(sealedStatic);
    this.mixKey(sharedSecret(this.ephemeral.private, clientStatic));
    const opened = this.decryptAndHash(payload);
    const [clientToServer, serverToClient] = derive(this.chainingKey, Buffer.alloc(0));
    this.transport = { clientToServer, serverToClient, sent: 0, received: 0 };
    return { clientStatic, payload: opened };
  }

  /** @param {Uint8Array} plaintext */
  seal(plaintext) {
    return seal(this.transport.serverToClient, this.transport.sent++, Buffer.alloc(0), plaintext);
  }

  /** @param {Uint8Array} ciphertext */
  open(ciphertext) {
    return open(this.transport.clientToServer, this.transport.received++, Buffer.alloc(0), ciphertext);
  }
}
