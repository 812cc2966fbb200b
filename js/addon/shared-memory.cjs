'use strict';

// The addon's hot functions and the memory shared with them. One per env: each thread that loads this module has its own.

const { loadBinding } = require('./binding.cjs');
const {
  text: { WINDOW: TEXT_WINDOW }
} = require('./abi.cjs');

const native = loadBinding();

/** Called when events have come for the sockets; see event-pump.cjs. */
const wake = { callback() {} };
const hub = new native.SocketHub(() => wake.callback());
const core = native.createCore(hub);

/** Initial sizes: operations, text bytes, and content bytes on the way out. */
const OPS = 4096;
const TEXT = 16 * 1024;
const INPUT = 16 * 1024;
/** Sizes above which memory that one large stanza needed is given back after it, in the same units. */
const KEEP_OPS = 64 * 1024;
const KEEP_BYTES = 256 * 1024;

/** Memory in which tapes are exchanged. Never handed to users. */
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

  growInput(length) {
    const input = Buffer.allocUnsafeSlow(nextPowerOfTwo(length));
    this.input.copy(input);
    this.input = input;
    this.share();
  },

  /** Room for a tape of so many operations and text units. */
  fit(ops, text) {
    if (ops <= this.ops.length && 2 * text <= this.text.length) return;
    if (ops > this.ops.length) this.ops = new Int32Array(nextPowerOfTwo(ops));
    if (2 * text > this.text.length) this.text = Buffer.allocUnsafeSlow(nextPowerOfTwo(2 * text));
    this.share();
  },

  /** Gives back what only an unusually large stanza needed. */
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

function nextPowerOfTwo(length) {
  return 2 ** Math.ceil(Math.log2(Math.max(length, TEXT_WINDOW)));
}

module.exports = { core, hub, wake, scratch, nextPowerOfTwo };
