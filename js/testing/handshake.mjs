// The server's side of a handshake: chooses between XX, IK and XXfallback, and encodes and decodes its messages.

import { NoiseResponder } from './noise-responder.mjs';

/**
 * @typedef {object} Established
 * @property {'XX' | 'IK' | 'XXfallback'} kind
 * @property {import('./noise-responder.mjs').Transport} transport
 * @property {Buffer} clientStatic
 * @property {Buffer} payload The encoded ClientPayload.
 */

export class Handshake {
  #proto;
  #authority;
  #prologue;
  #resumption;
  #certificate;
  /** @type {NoiseResponder | undefined} */
  #responder;
  /** @type {'XX' | 'XXfallback' | undefined} Set when ClientFinish is the next message. */
  #kind;

  /** Whether the client has asked to resume: its hello contains its login. */
  askedToResume = false;

  /**
   * @param {object} options
   * @param {any} options.proto Baileys' protobuf definitions.
   * @param {import('./certificate.mjs').NoiseAuthority} options.authority
   * @param {Uint8Array} options.prologue The client's four header bytes.
   * @param {'accept' | 'decline' | 'ignore'} options.resumption
   * @param {string} [options.certificate] A fault of the certificate chain.
   */
  constructor({ proto, authority, prologue, resumption, certificate }) {
    this.#proto = proto;
    this.#authority = authority;
    this.#prologue = prologue;
    this.#resumption = resumption;
    this.#certificate = certificate;
  }

  /**
   * Handles the next message of the client.
   *
   * @param {Uint8Array} bytes
   * @returns {{ answer?: Buffer, established?: Established }}
   */
  receive(bytes) {
    const message = this.#proto.HandshakeMessage.decode(bytes);
    return this.#kind === undefined ? this.#hello(message.clientHello) : this.#finish(message.clientFinish);
  }

  /** @param {any} hello */
  #hello(hello) {
    if (!hello?.ephemeral?.length) throw new Error('the first handshake message is not a ClientHello');
    this.askedToResume = hello.static?.length > 0 && hello.payload?.length > 0;
    const resumes = this.askedToResume && this.#resumption !== 'ignore';
    const resumed = resumes && this.#resumption === 'accept' ? this.#resume(hello) : undefined;
    if (resumed) return resumed;
    this.#kind = resumes ? 'XXfallback' : 'XX';
    this.#responder = this.#start(this.#kind);
    const chain = this.#authority.chain(this.#certificate);
    return { answer: this.#answer(this.#responder.readClientHello(hello.ephemeral, chain)) };
  }

  /**
   * Accepts a resumption. Returns undefined if the hello was sealed for another static key than the current one.
   *
   * @param {any} hello
   * @returns {{ answer: Buffer, established: Established } | undefined}
   */
  #resume(hello) {
    const responder = this.#start('IK');
    const opened = responder.readResumption(hello);
    if (opened === undefined) return undefined;
    const answer = this.#answer(responder.acceptResumption(this.#authority.chain(this.#certificate)));
    return { answer, established: { kind: 'IK', transport: responder.split(), ...opened } };
  }

  /** @param {any} finish */
  #finish(finish) {
    if (!finish?.static || !finish.payload) throw new Error('the second handshake message is not a ClientFinish');
    const responder = /** @type {NoiseResponder} */ (this.#responder);
    const kind = /** @type {Established['kind']} */ (this.#kind);
    const opened = responder.readClientFinish(finish);
    return { established: { kind, transport: responder.split(), ...opened } };
  }

  /** @param {'XX' | 'IK' | 'XXfallback'} pattern */
  #start(pattern) {
    return new NoiseResponder({ pattern, prologue: this.#prologue, staticKeyPair: this.#authority.staticKeyPair });
  }

  /** @param {object} serverHello */
  #answer(serverHello) {
    return Buffer.from(this.#proto.HandshakeMessage.encode({ serverHello }).finish());
  }
}
