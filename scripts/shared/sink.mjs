// The server as a sink: it reads what its clients send, counts it, and does nothing else.

/** Bytes around an encoded stanza in a frame: its length and the tag of AES-GCM. */
export const FRAME_BYTES = 3 + 16;

/**
 * Bytes of a whole WebSocket header from a client: two, the extended length, and the mask.
 *
 * @param {number} second The second byte of the header.
 */
const headerBytes = second => {
  const length = second & 0x7f;
  return 2 + (length < 126 ? 0 : length === 126 ? 2 : 8) + 4;
};

/** Reads the WebSocket messages of one connection in place of the mock server, from now on. */
class Reader {
  /** The start of a header that is not complete yet. */
  /** @type {Buffer} */
  #head = Buffer.alloc(0);
  /** Bytes of the current message that are still to come. */
  #left = 0;

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
      if (this.#left === 0) {
        const header = data.length - at < 2 ? 2 : headerBytes(data[at + 1]);
        if (data.length - at < header) {
          this.#head = data.subarray(at);
          break;
        }
        const short = data[at + 1] & 0x7f;
        this.#left =
          short < 126 ? short : short === 126 ? data.readUInt16BE(at + 2) : Number(data.readBigUInt64BE(at + 2));
        at += header;
      }
      const taken = Math.min(this.#left, data.length - at);
      this.#left -= taken;
      payload += taken;
      at += taken;
    }
    return payload;
  }
}

/** All connections that have become sinks, together. */
export class Sink {
  /** @type {WeakSet<import('node:net').Socket>} */
  #sockets = new WeakSet();
  #bytes = 0;
  #expected = Infinity;
  #arrived = () => {};
  /** @type {Promise<unknown>} */
  #result = Promise.resolve();

  /** @param {import('node:net').Socket[]} sockets Those that are sinks already stay as they are. */
  add(sockets) {
    for (const socket of sockets) {
      if (this.#sockets.has(socket)) continue;
      this.#sockets.add(socket);
      new Reader(socket, bytes => this.#count(bytes));
    }
  }

  /**
   * Starts to count anew; what is sent from here on has so many bytes of payload in all.
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

  /** Resolves when all that was expected has come. */
  async arrived() {
    await this.#result;
    if (this.#bytes !== this.#expected) throw new Error(`${this.#bytes} bytes came, not ${this.#expected}`);
  }

  /** @param {number} bytes */
  #count(bytes) {
    this.#bytes += bytes;
    if (this.#bytes >= this.#expected) this.#arrived();
  }
}
