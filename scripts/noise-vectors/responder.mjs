/**
 * The server's side of WhatsApp's handshake, and deterministic keys for it.
 */
import { derive, open, seal, sha256, sharedSecret, x25519KeyPair } from '../shared/noise-crypto.mjs';

/** @typedef {import('../shared/noise-crypto.mjs').KeyPair} KeyPair */
/**
 * The exports of one release, also internal ones.
 *
 * @typedef {Record<string, any> & { proto: any, Curve: any }} BaileysExports
 */

/**
 * The key pair of a name. It is the same on every run.
 *
 * @param {string} name
 */
export const keyPairOf = name => x25519KeyPair(sha256(`baileys-native vector key: ${name}`));

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
