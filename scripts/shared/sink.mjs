// A sink reads the data of server connections instead of the mock server, and only counts the bytes.

/** Bytes around an encoded stanza in a frame: its length and the tag of AES-GCM. */
export const FRAME_BYTES = 3 + 16;

/**
 * The length of a WebSocket header from a client: two bytes, the extended length, and the mask.
 *
 * @param {number} second The second byte of the header.
 */
const headerBytes = second => {
  const length = second & 0x7f;
  return 2 + (length < 126 ? 0 : length === 126 ? 2 : 8) + 4;
};

/** Reads the WebSocket messages of one connection instead of the mock server. */
class MessageReader {
  /** The first bytes of an incomplete header. @type {Buffer} */
  #head = Buffer.alloc(0);
  /** Bytes of the current message that have not arrived yet. */
  #remaining = 0;

  /**
   * @param {import('node:net').Socket} socket
   * @param {(bytes: number) => void} onBytes
   */
  constructor(socket, onBytes) {
    socket.removeAllListeners('data');
    socket.on('data', chunk => onBytes(this.#read(chunk)));
  }

  /**
   * @param {Buffer} chunk
   * @returns {number} Bytes of payload.
   */
  #read(chunk) {
    const data = this.#head.length === 0 ? chunk : Buffer.concat([this.#head, chunk]);
    this.#head = data.subarray(data.length);
    let payload = 0;
    let at = 0;
    while (at < data.length) {
      if (this.#remaining === 0) {
        const header = data.length - at < 2 ? 2 : headerBytes(data[at + 1]);
        if (data.length - at < header) {
          this.#head = data.subarray(at);
          break;
        }
        const short = data[at + 1] & 0x7f;
        this.#remaining =
          short < 126 ? short : short === 126 ? data.readUInt16BE(at + 2) : Number(data.readBigUInt64BE(at + 2));
        at += header;
      }
      const taken = Math.min(this.#remaining, data.length - at);
      this.#remaining -= taken;
      payload += taken;
      at += taken;
    }
    return payload;
  }
}

/** The connections that are sinks. Their data is counted together. */
export class Sink {
  /** @type {WeakSet<import('node:net').Socket>} */
  #sockets = new WeakSet();
  #bytes = 0;
  #expected = Infinity;
  #arrived = () => {};
  /** @type {Promise<unknown>} */
  #result = Promise.resolve();

  /** @param {import('node:net').Socket[]} sockets Sockets that are already sinks are not changed. */
  add(sockets) {
    for (const socket of sockets) {
      if (this.#sockets.has(socket)) continue;
      this.#sockets.add(socket);
      new MessageReader(socket, bytes => this.#count(bytes));
    }
  }

  /**
   * Resets the count. `bytes` is the total payload that will be sent.
   *
   * @param {number} bytes
   */
  expect(bytes) {
    this.#bytes = 0;
    this.#expected = bytes;
    this.#result = new Promise(resolve => {
      this.#arrived = () => resolve(undefined);
    });
  }

  /** Resolves when all expected bytes have arrived. */
  async arrived() {
    await this.#result;
    if (this.#bytes !== this.#expected) throw new Error(`${this.#bytes} bytes have arrived, not ${this.#expected}`);
  }

  /** @param {number} bytes */
  #count(bytes) {
    this.#bytes += bytes;
    if (this.#bytes >= this.#expected) this.#arrived();
  }
}
