'use strict';

// Buffers for bytes that the addon writes: cut from slabs, as Node's own pool does, since allocating one costs a
// microsecond and cutting one a twentieth.

const { markAsUntransferable } = require('node:worker_threads');

/** A slab's size; also what a small buffer that is kept can hold on to at most. */
const SLAB_SIZE = 32 * 1024;
/** Buffers of this size and above get memory of their own. */
const OWN_SIZE = SLAB_SIZE / 4;

/** A view of a Buffer's memory, in half the time that `subarray` takes. */
const FastBuffer = Buffer[Symbol.species];

/**
 * The slab at hand (as a Buffer and, which is slow to ask for, its memory) and the position in it. Native code writes at
 * `position` and calls {@link cut}.
 */
const slab = { buffer: Buffer.alloc(0), memory: new ArrayBuffer(0), position: 0 };

/** Makes `slab` have room for `length` bytes. */
function reserve(length) {
  if (slab.position + length <= slab.buffer.length) return;
  slab.buffer = Buffer.allocUnsafeSlow(Math.max(SLAB_SIZE, length));
  // Whoever transfers a buffer of ours to another thread would otherwise take its neighbours along.
  slab.memory = slab.buffer.buffer;
  markAsUntransferable(slab.memory);
  slab.position = 0;
}

/** The next `length` bytes of the slab as a Buffer. */
function cut(length) {
  const start = slab.position;
  // Eight-byte alignment, as Node keeps it in its pool; not by `& ~7`, which makes what is above 2 GiB negative.
  const end = start + length + 7;
  slab.position = end - (end & 7);
  return new FastBuffer(slab.memory, start, length);
}

/** A Buffer of `length` uninitialised bytes. */
function allocate(length) {
  if (length >= OWN_SIZE) return Buffer.allocUnsafeSlow(length);
  reserve(length);
  return cut(length);
}

module.exports = { slab, reserve, cut, allocate };
