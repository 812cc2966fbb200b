// Reads the byte stream of a client in any chunks: a preamble once, then frames with a 3-byte big-endian length.

const ROUTING_PREFIX = Buffer.from([0x45, 0x44, 0x00, 0x01]); // 'E' 'D' 0 1
const HEADER_LENGTH = 4; // 'W' 'A' protocol dictionary
const LENGTH_BYTES = 3;

/** Splits the bytes of a client into its preamble and its frames. */
export class FrameReader {
  #buffer = Buffer.alloc(0);

  /**
   * The four bytes `WA`, protocol, dictionary; undefined until they have arrived.
   *
   * @type {Buffer | undefined}
   */
  header;
  /**
   * The routing info before the header, or undefined.
   *
   * @type {Buffer | undefined}
   */
  routingInfo;

  /** @param {Uint8Array} bytes */
  push(bytes) {
    this.#buffer = this.#buffer.length === 0 ? Buffer.from(bytes) : Buffer.concat([this.#buffer, bytes]);
  }

  /** The next whole frame without its length; undefined if more bytes are needed. */
  next() {
    if (!this.header && !this.#readPreamble()) return undefined;
    if (this.#buffer.length < LENGTH_BYTES) return undefined;
    const end = LENGTH_BYTES + this.#buffer.readUIntBE(0, LENGTH_BYTES);
    if (this.#buffer.length < end) return undefined;
    return this.#take(end).subarray(LENGTH_BYTES);
  }

  #readPreamble() {
    if (this.#buffer.length < HEADER_LENGTH) return false;
    let start = 0;
    if (this.#buffer.subarray(0, HEADER_LENGTH).equals(ROUTING_PREFIX)) {
      start = ROUTING_PREFIX.length + LENGTH_BYTES;
      if (this.#buffer.length < start) return false;
      const length = this.#buffer.readUIntBE(ROUTING_PREFIX.length, LENGTH_BYTES);
      if (this.#buffer.length < start + length + HEADER_LENGTH) return false;
      this.routingInfo = Buffer.from(this.#buffer.subarray(start, start + length));
      start += length;
    }
    this.header = Buffer.from(this.#take(start + HEADER_LENGTH).subarray(start));
    if (this.header[0] !== 0x57 || this.header[1] !== 0x41) {
      throw new Error(`the connection starts with ${this.header.toString('hex')}, not with a WA header`);
    }
    return true;
  }

  /** @param {number} length */
  #take(length) {
    const taken = this.#buffer.subarray(0, length);
    this.#buffer = this.#buffer.subarray(length);
    return taken;
  }
}

/**
 * One frame: its length in three bytes and the payload.
 *
 * @param {Uint8Array} payload
 */
export function frame(payload) {
  const framed = Buffer.allocUnsafe(LENGTH_BYTES + payload.length);
  framed.writeUIntBE(payload.length, 0, LENGTH_BYTES);
  framed.set(payload, LENGTH_BYTES);
  return framed;
}
