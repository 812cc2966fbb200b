// One client of the mock server: reads frames from WebSocket messages, does the handshake, then opens and seals
// stanzas.

import { EventEmitter } from 'node:events';
import { Flood, compressStanza } from './flood.mjs';
import { FrameReader, frame } from './frame-reader.mjs';
import { resetSocket } from './listener.mjs';

/** @import { Device, Faults, StanzaRecord } from './index.cjs' */
/** @import { Host, Stanza } from './types.d.ts' */
/** @typedef {{ build: () => Uint8Array, settle: (error?: Error) => void }} Item A message that is sent in its turn. */

/** @typedef {import('./index.mjs').BinaryNode} BinaryNode */

export class Connection extends EventEmitter {
  #host;
  #ws;
  #socket;
  #reader = new FrameReader();
  /** @type {import('./handshake.mjs').Handshake | undefined} */
  #handshake;
  /** @type {import('./noise-responder.mjs').Transport | undefined} */
  #transport;
  /** @type {Flood | undefined} */
  #flood;
  /** @type {Item[]} */
  #queue = [];
  #requests = new Map();
  #sequence = 0;
  #reading = false;
  #paused = false;

  /** `handshake`, `pairing`, `login`, `open` or `closed`. */
  state = 'handshake';
  /**
   * The kind of the handshake when it is finished: `XX`, `IK` or `XXfallback`.
   *
   * @type {'XX' | 'IK' | 'XXfallback' | undefined}
   */
  handshake;
  /**
   * The ClientPayload that the client sent in the handshake.
   *
   * @type {Record<string, any> | undefined}
   */
  payload;
  /**
   * The encoded ClientPayload.
   *
   * @type {Buffer | undefined}
   */
  payloadBytes;
  /**
   * The client's static Noise key, 32 bytes.
   *
   * @type {Buffer | undefined}
   */
  noiseKey;
  /**
   * The device of this connection, after login or pairing.
   *
   * @type {Device | undefined}
   */
  device;
  /**
   * The client's request for a pairing code: JID, ref, wrapped key.
   *
   * @type {{ jid: string, ref: Buffer, wrapped: Uint8Array } | undefined}
   */
  codeRequest;
  /**
   * The error for which the server ended the connection: a broken frame or a failed handshake.
   *
   * @type {Error | undefined}
   */
  error;
  /** @type {StanzaRecord[]} */
  received = [];
  /** @type {StanzaRecord[]} */
  sent = [];
  /**
   * The refs of the QR codes of a client that is not linked.
   *
   * @type {string[] | undefined}
   */
  pairingRefs;

  /**
   * Connections are made by the server.
   *
   * @param {object} parts
   * @param {number} parts.id
   * @param {Host} parts.host
   * @param {any} parts.ws
   * @param {import('node:net').Socket} parts.socket
   * @param {import('node:http').IncomingMessage} parts.request
   * @param {Faults} parts.faults
   */
  constructor({ id, host, ws, socket, request, faults }) {
    super();
    this.id = id;
    this.request = request;
    this.faults = faults;
    this.#host = host;
    this.#ws = ws;
    this.#socket = socket;
    ws.on('message', (/** @type {Buffer} */ data) => this.#onMessage(data));
    ws.on('error', (/** @type {Error | undefined} */ error) => (this.error ??= error));
    ws.on('close', (/** @type {number} */ code, /** @type {Buffer} */ reason) =>
      this.#onClose(code, reason.toString())
    );
  }

  /** The four header bytes `WA`, protocol, dictionary. */
  get header() {
    return this.#reader.header;
  }

  /** The routing info that the client sent before its header, or undefined. */
  get routingInfo() {
    return this.#reader.routingInfo;
  }

  /** Whether the client asked to resume by Noise IK. */
  get askedToResume() {
    return this.#handshake?.askedToResume ?? false;
  }

  /** The ciphers after the handshake, see `#assertOpen`. */
  get #ciphers() {
    return /** @type {import('./noise-responder.mjs').Transport} */ (this.#transport);
  }

  /** False when the connection is closed or cut. The `close` event follows later. */
  get isWritable() {
    return this.state !== 'closed' && this.#socket.writable;
  }

  /** A new id for a stanza of the server. */
  nextId() {
    this.#sequence += 1;
    return `mock-${this.id}-${this.#sequence}`;
  }

  /**
   * Seals and sends a stanza. If there is a prepared flood, the stanza is sent after it.
   *
   * @param {BinaryNode} node
   * @param {{ compress?: boolean }} [options]
   */
  send(node, { compress = false } = {}) {
    return this.#enqueue(() => {
      const encoded = this.#host.baileys.encode(node);
      const sealed = this.#ciphers.seal(compress ? compressStanza(encoded) : encoded);
      this.#host.record(this, 'out', node);
      return frame(sealed);
    });
  }

  /**
   * Sends bytes of the caller.
   *
   * @param {Uint8Array} bytes
   * @param {{ layer?: 'plaintext' | 'frame' | 'message' }} [options]
   */
  sendRaw(bytes, { layer = 'plaintext' } = {}) {
    if (layer === 'message') return this.#enqueue(() => bytes, false);
    if (layer === 'frame') return this.#enqueue(() => frame(bytes), false);
    if (layer !== 'plaintext') throw new TypeError(`no such layer: ${layer}`);
    return this.#enqueue(() => frame(this.#ciphers.seal(bytes)));
  }

  /**
   * Sends an iq and resolves with the client's answer to it.
   *
   * @param {BinaryNode} node
   * @param {{ timeoutMs?: number }} [options]
   * @returns {Promise<BinaryNode>}
   */
  query(node, { timeoutMs = 10_000 } = {}) {
    const id = node.attrs.id ?? this.nextId();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => finish(reject, new Error(`no answer to ${id} in ${timeoutMs} ms`)), timeoutMs);
      /**
       * @param {(value: any) => void} settle
       * @param {unknown} value
       */
      const finish = (settle, value) => {
        clearTimeout(timer);
        this.#requests.delete(id);
        settle(value);
      };
      this.#requests.set(id, {
        /** @param {Stanza} answer */
        resolve: answer => finish(resolve, answer),
        /** @param {Error | undefined} error */
        reject: error => finish(reject, error)
      });
      this.send({ ...node, attrs: { ...node.attrs, id } }).catch(error => finish(reject, error));
    });
  }

  /**
   * Encodes and seals many stanzas now; `flood.start()` writes them later. Their counter values are reserved:
   * everything else that is sent on this connection waits until the flood is written or cancelled.
   *
   * @param {BinaryNode | BinaryNode[] | ((index: number) => BinaryNode)} nodes
   * @param {number} count
   * @param {{ perMessage?: number, compress?: boolean }} [options]
   */
  prepareFlood(nodes, count, { perMessage = 1, compress = false } = {}) {
    this.#assertOpen();
    if (this.#flood) throw new Error('a flood is already prepared on this connection: start or cancel it first');
    const counter = this.#ciphers.writeCounter;
    try {
      this.#flood = new Flood({
        nodes,
        count,
        perMessage,
        compress,
        socket: this.#socket,
        /** @param {Stanza} node */
        encode: node => this.#host.baileys.encode(node),
        /** @param {Uint8Array} plaintext */
        seal: plaintext => this.#ciphers.seal(plaintext),
        /** @param {Stanza[]} sent */
        onStart: sent => {
          if (this.#host.wantsRecords()) sent.forEach(node => this.#host.record(this, 'out', node));
        },
        /** @param {{ rewind?: boolean }} end */
        onEnd: ({ rewind }) => {
          if (rewind) this.#ciphers.rewind(counter);
          this.#flood = undefined;
          this.#flushQueue();
        }
      });
    } catch (error) {
      this.#ciphers.rewind(counter);
      throw error;
    }
    return this.#flood;
  }

  /**
   * Sends `stream:error` and closes the connection.
   *
   * @param {number | string} [code]
   * @param {{ content?: BinaryNode[], close?: boolean }} [options]
   */
  async streamError(code, { content, close = true } = {}) {
    await this.send({ tag: 'stream:error', attrs: code === undefined ? {} : { code: String(code) }, content });
    if (close) this.close();
  }

  /**
   * Refuses a login: sends `failure` and closes.
   *
   * @param {number | string} reason
   */
  async failure(reason, attrs = {}) {
    await this.send({ tag: 'failure', attrs: { reason: String(reason), ...attrs } });
    this.close();
  }

  /** Sends `xmlstreamend` and closes. */
  async xmlStreamEnd() {
    await this.send({ tag: 'xmlstreamend', attrs: {} });
    this.close();
  }

  /** Starts the WebSocket closing handshake. */
  close(code = 1000, reason = '') {
    this.#ws.close(code, reason);
  }

  /** Cuts the TCP connection without a WebSocket close. With `reset`, it sends RST. */
  drop({ reset = false } = {}) {
    if (reset) resetSocket(this.#socket, this.#host.tcpSocket(this.#socket));
    else this.#socket.destroy();
  }

  /** Stops reading until `resume`. The buffers of the kernel fill, and the client has to wait. */
  pause() {
    this.#paused = true;
    this.#ws.pause();
  }

  /** Reads again. Data that arrived during the pause comes first. */
  resume() {
    this.#paused = false;
    this.#ws.resume();
    if (!this.#reading) void this.#readFrames();
  }

  /** Sends a WebSocket ping; resolves with the payload of the next pong. */
  wsPing(payload = '') {
    return new Promise((resolve, reject) => {
      /** @param {Buffer} data */
      const onPong = data => {
        this.off('close', onClose);
        resolve(data);
      };
      const onClose = () => {
        this.#ws.off('pong', onPong);
        reject(new Error('the connection closed before the pong'));
      };
      this.#ws.once('pong', onPong);
      this.once('close', onClose);
      this.#ws.ping(payload);
    });
  }

  /** @param {() => Uint8Array} build */
  #enqueue(build, sealed = true) {
    try {
      this.#assertOpen(sealed);
    } catch (error) {
      return Promise.reject(error);
    }
    return new Promise((/** @type {(value?: undefined) => void} */ resolve, reject) => {
      const item = {
        build,
        /** @param {Error | undefined} error */
        settle: error => (error ? reject(error) : resolve())
      };
      if (this.#flood) this.#queue.push(item);
      else this.#write(item);
    });
  }

  /** @param {Item} item */
  #write({ build, settle }) {
    let bytes;
    try {
      bytes = build();
    } catch (error) {
      settle(error);
      return;
    }
    this.#ws.send(bytes, settle);
  }

  #flushQueue() {
    while (this.#queue.length > 0 && !this.#flood) this.#write(/** @type {Item} */ (this.#queue.shift()));
  }

  #assertOpen(sealed = true) {
    if (this.state === 'closed') throw new Error(`connection ${this.id} is closed`);
    if (sealed && !this.#transport) throw new Error(`connection ${this.id} has not finished its handshake`);
  }

  /** @param {Buffer} data */
  #onMessage(data) {
    this.#reader.push(data);
    if (!this.#reading) void this.#readFrames();
  }

  /** Decodes one frame at a time to keep the order: Baileys' decoder is asynchronous. */
  async #readFrames() {
    this.#reading = true;
    try {
      while (!this.#paused) {
        const bytes = this.#reader.next();
        if (bytes === undefined) break;
        if (this.#transport) {
          const node = await this.#host.baileys.decode(this.#transport.open(bytes));
          this.#host.record(this, 'in', node);
          this.#onStanza(node);
        } else {
          this.#onHandshake(bytes);
        }
      }
    } catch (error) {
      this.error ??= error;
      this.#host.fail(this, error);
      this.#ws.terminate();
    } finally {
      this.#reading = false;
    }
  }

  /** @param {Stanza} node */
  #onStanza(node) {
    const waiting =
      node.tag === 'iq' && ['result', 'error'].includes(node.attrs.type) && this.#requests.get(node.attrs.id);
    if (waiting) waiting.resolve(node);
    this.#host.stanza(this, node);
  }

  /** @param {Buffer} bytes */
  #onHandshake(bytes) {
    if (this.faults.stallHandshake) return;
    if (!this.#handshake) this.#checkDictionary();
    this.#handshake ??= this.#host.startHandshake(this);
    const { answer, established } = this.#handshake.receive(bytes);
    if (answer) {
      this.#write({ build: () => frame(this.faults.garbageHandshake ? garble(answer) : answer), settle: () => {} });
    }
    if (!established) return;
    const { kind, transport, clientStatic, payload } = established;
    this.#transport = transport;
    this.handshake = kind;
    this.noiseKey = clientStatic;
    this.payloadBytes = payload;
    this.payload = this.#host.baileys.proto.ClientPayload.decode(payload);
    this.#host.handshakeDone(this);
  }

  #checkDictionary() {
    const expected = this.#host.baileys.dictionaryVersion;
    const given = this.header?.[3];
    if (given !== expected) {
      throw new Error(
        `the client uses token dictionary ${given}, but the mock server's Baileys uses ${expected}: ` +
          'set the option `baileys` of the server to the tested Baileys'
      );
    }
  }

  /**
   * @param {number} code
   * @param {string} reason
   */
  #onClose(code, reason) {
    this.state = 'closed';
    const closed = new Error(`connection ${this.id} closed (${code})`);
    for (const { settle } of this.#queue.splice(0)) settle(closed);
    for (const { reject } of [...this.#requests.values()]) reject(closed);
    this.emit('close', code, reason);
    this.#host.closed(this, code, reason);
  }
}

/** @param {Buffer} bytes */
const garble = bytes => Buffer.from(bytes).map(byte => byte ^ 0x5a);
