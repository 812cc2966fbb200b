'use strict';

/** A list of the latest lines, limited in number and bytes. */
class Ring {
  /** @type {(Buffer | undefined)[]} */
  #lines = [];
  /** Index of the oldest line. */
  #first = 0;
  #bytes = 0;
  #maxLines;
  #maxBytes;

  /** @param {{ lines: number, bytes: number }} bounds */
  constructor({ lines, bytes }) {
    this.#maxLines = lines;
    this.#maxBytes = bytes;
  }

  get length() {
    return this.#lines.length - this.#first;
  }

  get bytes() {
    return this.#bytes;
  }

  /** @param {Buffer} line */
  push(line) {
    this.#lines.push(line);
    this.#bytes += line.length;
    while (this.length > this.#maxLines || (this.#bytes > this.#maxBytes && this.length > 0)) {
      this.#bytes -= /** @type {Buffer} */ (this.#lines[this.#first]).length;
      this.#lines[this.#first++] = undefined;
    }
    if (this.#first > this.#maxLines) {
      this.#lines.splice(0, this.#first);
      this.#first = 0;
    }
  }

  /** @returns {IterableIterator<Buffer>} the oldest first */
  [Symbol.iterator]() {
    return /** @type {Buffer[]} */ (this.#lines.slice(this.#first)).values();
  }
}

module.exports = { Ring };
