'use strict';

// Buffers for bytes that the addon writes. They are cut from slabs, like Node's pooled Buffers. Cutting a Buffer takes
// a twentieth of the time of allocating one, which is about a microsecond.

const { markAsUntransferable } = require('node:worker_threads');

/** Size of a slab in bytes. A small Buffer that a program keeps can keep this much memory alive. */
const SLAB_SIZE = 32 * 1024;
/** Buffers of this size or more get their own memory. */
const OWN_SIZE = SLAB_SIZE / 4;

/**
 * @typedef {Buffer & Record<'latin1Slice' | 'ucs2Slice' | 'utf8Slice', (start: number, end: number) => string>} TextBuffer
 *   A Buffer with the methods that the types of Node do not have.
 */

/** Its constructor creates a view in half the time of `subarray`. */
const FastBuffer =
  /** @type {{ [Symbol.species]: new (memory: ArrayBufferLike, at: number, length: number) => TextBuffer }} */ (
    /** @type {unknown} */ (Buffer)
  )[Symbol.species];

/**
 * The current slab and the first free position in it. `memory` is `buffer.buffer`, stored because that getter is slow.
 * The addon writes at `position`; {@link cut} then returns the Buffer.
 */
const slab = {
  buffer: /** @type {TextBuffer} */ (Buffer.alloc(0)),
  memory: /** @type {ArrayBufferLike} */ (new ArrayBuffer(0)),
  position: 0
};

/**
 * Makes room for `length` bytes in the slab.
 *
 * @param {number} length
 */
function reserve(length) {
  if (slab.position + length <= slab.buffer.length) return;
  slab.buffer = /** @type {TextBuffer} */ (Buffer.allocUnsafeSlow(Math.max(SLAB_SIZE, length)));
  // If one Buffer were transferred to another thread, all Buffers of the slab would lose their memory.
  slab.memory = slab.buffer.buffer;
  markAsUntransferable(slab.memory);
  slab.position = 0;
}

/**
 * Returns the next `length` bytes of the slab as a Buffer.
 *
 * @param {number} length
 */
function cut(length) {
  const start = slab.position;
  // Aligned to 8 bytes, like Node's pool. `end & ~7` would be negative above 2 GiB.
  const end = start + length + 7;
  slab.position = end - (end & 7);
  return new FastBuffer(slab.memory, start, length);
}

/**
 * A Buffer of `length` uninitialised bytes.
 *
 * @param {number} length
 */
function allocate(length) {
  if (length >= OWN_SIZE) return Buffer.allocUnsafeSlow(length);
  reserve(length);
  return cut(length);
}

module.exports = { FastBuffer, slab, reserve, cut, allocate };
