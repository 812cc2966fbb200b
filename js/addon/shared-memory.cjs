'use strict';

// The addon's raw functions (`core`) and the memory that they share with JavaScript. Each thread has its own.

const { loadBinding } = require('./binding.cjs');
const {
  text: { WINDOW: TEXT_WINDOW }
} = require('./abi.cjs');

const native = loadBinding();

/** `callback` is called when the native queue is no longer empty; see event-pump.cjs. */
const wake = { callback() {} };
const environment = new native.NodeEnvironment(() => wake.callback());
const core = native.createCore(environment);

/** Initial sizes: operations, bytes of text, and content bytes of nodes that are encoded. */
const OPS = 4096;
const TEXT = 16 * 1024;
const INPUT = 16 * 1024;
/** Memory above these sizes is replaced by smaller memory after a large stanza. Units as above. */
const KEEP_OPS = 64 * 1024;
const KEEP_BYTES = 256 * 1024;

/** Memory for tapes. It is never given to users. */
const scratch = {
  ops: new Int32Array(OPS),
  text: Buffer.allocUnsafeSlow(TEXT),
  input: Buffer.allocUnsafeSlow(INPUT),

  growOps() {
    const ops = new Int32Array(this.ops.length * 2);
    ops.set(this.ops);
    this.ops = ops;
    this.share();
  },

  /** @param {number} length */
  growInput(length) {
    const input = Buffer.allocUnsafeSlow(nextPowerOfTwo(length));
    this.input.copy(input);
    this.input = input;
    this.share();
  },

  /**
   * Makes room for a tape with `ops` operations and `text` units.
   *
   * @param {number} ops
   * @param {number} text
   */
  fit(ops, text) {
    if (ops <= this.ops.length && 2 * text <= this.text.length) return;
    if (ops > this.ops.length) this.ops = new Int32Array(nextPowerOfTwo(ops));
    if (2 * text > this.text.length) this.text = Buffer.allocUnsafeSlow(nextPowerOfTwo(2 * text));
    this.share();
  },

  /** Frees the memory that only a very large stanza needs. */
  trim() {
    if (this.ops.length <= KEEP_OPS && this.text.length <= KEEP_BYTES && this.input.length <= KEEP_BYTES) return;
    if (this.ops.length > KEEP_OPS) this.ops = new Int32Array(OPS);
    if (this.text.length > KEEP_BYTES) this.text = Buffer.allocUnsafeSlow(TEXT);
    if (this.input.length > KEEP_BYTES) this.input = Buffer.allocUnsafeSlow(INPUT);
    this.share();
  },

  share() {
    core.share(this.ops, this.text, this.input);
  }
};
scratch.share();

/**
 * The least power of two that is not less than `length`, and at least `TEXT_WINDOW`.
 *
 * @param {number} length
 */
function nextPowerOfTwo(length) {
  return 2 ** Math.ceil(Math.log2(Math.max(length, TEXT_WINDOW)));
}

module.exports = { core, environment, wake, scratch, nextPowerOfTwo };
