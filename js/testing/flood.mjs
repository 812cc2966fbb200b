// Floods: many stanzas that are encoded, sealed and framed in advance, then written to the TCP or TLS socket as
// WebSocket messages. The server then uses almost no CPU time while a client is measured.

import { deflateSync } from 'node:zlib';
import { frame } from './frame-reader.mjs';

/** @import { Stanza } from './types.d.ts' */
/** @typedef {Stanza | Stanza[] | ((index: number) => Stanza)} Nodes */
/**
 * @typedef {object} FloodParts
 * @property {Nodes} nodes
 * @property {number} count
 * @property {number} [perMessage]
 * @property {boolean} [compress]
 * @property {(node: Stanza) => Uint8Array} encode
 * @property {(plaintext: Uint8Array) => Buffer} seal
 */
/**
 * @typedef {object} FloodOutput
 * @property {import('node:net').Socket} socket
 * @property {(sent: Stanza[]) => void} onStart
 * @property {(end: { sent: boolean, rewind?: boolean }) => void} onEnd
 */

const CHUNK_BYTES = 256 * 1024;
const COMPRESSED = 2;

/**
 * The WebSocket header of one unmasked binary message in one frame.
 *
 * @param {number} length
 */
function messageHeader(length) {
  if (length < 126) return Buffer.from([0x82, length]);
  if (length <= 0xffff) {
    const header = Buffer.from([0x82, 126, 0, 0]);
    header.writeUInt16BE(length, 2);
    return header;
  }
  const header = Buffer.alloc(10);
  header[0] = 0x82;
  header[1] = 127;
  header.writeBigUInt64BE(BigInt(length), 2);
  return header;
}

/**
 * Compresses an encoded stanza: the flags byte 2, then the deflated stanza without its own flags byte.
 *
 * @param {Uint8Array} encoded The result of `encodeBinaryNode`.
 */
export function compressStanza(encoded) {
  return Buffer.concat([Buffer.from([COMPRESSED]), deflateSync(encoded.subarray(1))]);
}

/**
 * @param {Nodes} nodes
 * @param {(node: Stanza) => Uint8Array} encode
 * @param {boolean} compress
 * @returns {(index: number) => { node: Stanza, plaintext: Uint8Array }}
 */
function stanzaSource(nodes, encode, compress) {
  /** @param {Stanza} node */
  const plaintext = node => (compress ? compressStanza(encode(node)) : encode(node));
  if (typeof nodes === 'function') {
    return index => {
      const node = nodes(index);
      return { node, plaintext: plaintext(node) };
    };
  }
  const list = (Array.isArray(nodes) ? nodes : [nodes]).map(node => ({ node, plaintext: plaintext(node) }));
  if (list.length === 0) throw new RangeError('a flood needs at least one stanza');
  return index => list[index % list.length];
}

/**
 * Seals every stanza and joins the WebSocket messages to chunks. A chunk ends with a whole message.
 *
 * @param {Required<FloodParts>} parts
 */
function sealAll({ nodes, count, perMessage, compress, encode, seal }) {
  const stanza = stanzaSource(nodes, encode, compress);
  /** @type {Stanza[]} */
  const sent = [];
  /** @type {Buffer[]} */
  const chunks = [];
  /** @type {Buffer[]} */
  let chunk = [];
  let chunkBytes = 0;
  let bytes = 0;
  let messages = 0;

  const finishChunk = () => {
    if (chunk.length > 0) chunks.push(Buffer.concat(chunk, chunkBytes));
    bytes += chunkBytes;
    chunk = [];
    chunkBytes = 0;
  };

  for (let start = 0; start < count; start += perMessage) {
    const frames = [];
    for (let index = start; index < Math.min(start + perMessage, count); index++) {
      const { node, plaintext } = stanza(index);
      sent.push(node);
      frames.push(frame(seal(plaintext)));
    }
    const payloadBytes = frames.reduce((sum, part) => sum + part.length, 0);
    const header = messageHeader(payloadBytes);
    chunk.push(header, ...frames);
    chunkBytes += header.length + payloadBytes;
    messages++;
    if (chunkBytes >= CHUNK_BYTES) finishChunk();
  }
  finishChunk();
  return { sent, chunks, bytes, messages };
}

/**
 * Resolves when the socket can take more data; rejects if it closes first.
 *
 * @param {import('node:net').Socket} socket
 */
function drained(socket) {
  return new Promise((resolve, reject) => {
    /** @param {() => void} callback */
    const settle = callback => {
      socket.off('drain', onDrain);
      socket.off('close', onClose);
      callback();
    };
    const onDrain = () => settle(() => resolve(undefined));
    const onClose = () => settle(() => reject(new Error('the connection closed during a flood')));
    socket.on('drain', onDrain);
    socket.on('close', onClose);
  });
}

/** A prepared flood on one connection, created by `connection.prepareFlood()`. */
export class Flood {
  /** @type {Buffer[] | undefined} Undefined after the flood was sent. */
  #chunks;
  #socket;
  #state = 'prepared';
  #onStart;
  #onEnd;
  /** @type {Stanza[] | undefined} Undefined after the flood was sent. */
  #nodes;

  /**
   * Use `connection.prepareFlood()`.
   *
   * @param {FloodParts & FloodOutput} parts
   */
  constructor({ nodes, count, perMessage = 1, compress = false, encode, seal, socket, onStart, onEnd }) {
    if (!Number.isInteger(count) || count < 0) throw new RangeError('count must be a whole number');
    if (!Number.isInteger(perMessage) || perMessage < 1)
      throw new RangeError('perMessage must be a whole number of at least 1');
    const sealed = sealAll({ nodes, count, perMessage, compress, encode, seal });
    this.#chunks = sealed.chunks;
    this.#nodes = sealed.sent;
    this.#socket = socket;
    this.#onStart = onStart;
    this.#onEnd = onEnd;
    this.count = count;
    this.messages = sealed.messages;
    this.bytes = sealed.bytes;
  }

  /** `prepared`, `sending`, `sent`, `cancelled` or `failed`. */
  get state() {
    return this.#state;
  }

  /** Writes everything. Resolves when the last byte was passed to the operating system. */
  async start() {
    this.#leave('prepared', 'sending');
    try {
      this.#onStart(this.#nodes ?? []);
      this.#nodes = undefined;
      await this.#writeAll();
      this.#state = 'sent';
    } catch (error) {
      this.#state = 'failed';
      throw error;
    } finally {
      this.#chunks = undefined;
      this.#onEnd({ sent: this.#state === 'sent' });
    }
  }

  /** Cancels a flood that was not started. The counter of the connection returns to its former value. */
  cancel() {
    this.#leave('prepared', 'cancelled');
    this.#chunks = undefined;
    this.#nodes = undefined;
    this.#onEnd({ sent: false, rewind: true });
  }

  async #writeAll() {
    const socket = this.#socket;
    let flushed = Promise.resolve();
    for (const chunk of this.#chunks ?? []) {
      if (socket.destroyed) throw new Error('the connection closed during a flood');
      let more;
      flushed = new Promise((resolve, reject) => {
        more = socket.write(chunk, (/** @type {Error | null | undefined} */ error) =>
          error ? reject(error) : resolve()
        );
      });
      flushed.catch(() => {}); // a failed write also closes the socket, so the loop ends
      if (!more) await drained(socket);
    }
    await flushed;
  }

  /**
   * @param {string} from
   * @param {string} to
   */
  #leave(from, to) {
    if (this.#state !== from) throw new Error(`the flood is not ${from} but ${this.#state}`);
    this.#state = to;
  }
}

/**
 * Stanzas that can be sent in thousands. Baileys decodes and dispatches each one and answers with at most one `ack`. A
 * `message` that cannot be decrypted is not suitable: Baileys requests each one again, and pauses after each request.
 */
export const sampleStanzas = {
  /**
   * About 60 bytes; Baileys looks for listeners and finds none.
   *
   * @param {number} index
   */
  ack: index => ({
    tag: 'ack',
    attrs: {
      id: `3EB0${index.toString(16).padStart(16, '0').toUpperCase()}`,
      class: 'receipt',
      from: '15550001111@s.whatsapp.net'
    }
  }),

  /**
   * A delivery receipt; Baileys answers each with one `ack`.
   *
   * @param {number} index
   */
  receipt: index => ({
    tag: 'receipt',
    attrs: {
      id: `3EB0${index.toString(16).padStart(16, '0').toUpperCase()}`,
      from: '15550001111@s.whatsapp.net',
      t: String(1_700_000_000 + index)
    }
  }),

  /**
   * The attributes and size of an encrypted text message, with a tag that Baileys has no handler for.
   *
   * @param {number} index
   */
  message: index => ({
    tag: 'relay',
    attrs: {
      id: `3EB0${index.toString(16).padStart(16, '0').toUpperCase()}`,
      from: '100000000000001@lid',
      sender_pn: '15550001111@s.whatsapp.net',
      type: 'text',
      notify: 'Test sender',
      t: String(1_700_000_000 + index)
    },
    content: [{ tag: 'enc', attrs: { v: '2', type: 'msg' }, content: Buffer.alloc(160, index & 0xff) }]
  })
};
