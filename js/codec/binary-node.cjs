'use strict';

// The codec functions of Baileys for each dialect: encodeBinaryNode, decodeBinaryNode, decodeDecompressedBinaryNode and
// decompressingIfRequired. A dialect is a token dictionary and the rules of the releases that use it.

const { isUint8Array } = require('node:util/types');

const { core, scratch } = require('../addon/shared-memory.cjs');
const { slab, reserve, cut, allocate } = require('../addon/slab.cjs');
const { createFlattener } = require('./tape/flatten.cjs');
const { createHydrator } = require('./tape/hydrate.cjs');
const {
  KEYS,
  dialect: DIALECT,
  register: {
    AT: REG_AT,
    BYTES: REG_BYTES,
    CONSUMED: REG_CONSUMED,
    FIRST_OP,
    OPS: REG_OPS,
    TEXT: REG_TEXT,
    WIDE: REG_WIDE
  }
} = require('../addon/abi.cjs');
const dictionaries = require('./tape/tokens.cjs');

/** @import { BinaryNode, BinaryNodeCodingOptions } from '../../index' */
/** @import { Dialect } from '../shared/baileys-layout.cjs' */
/** @typedef {ReturnType<typeof createHydrator>} Hydrator */

/** For each dialect: its number in the addon, and the version of its dictionary. */
const DIALECTS = /** @type {const} */ ({
  7: { id: DIALECT.V7, dictionary: 3 },
  6.7: { id: DIALECT.V6_7, dictionary: 3 },
  6.17: { id: DIALECT.V6_17, dictionary: 2 }
});

/**
 * Hydrators and flatteners by dictionary, created at first use.
 *
 * @type {Map<2 | 3, { hydrate: Hydrator, hydrateTape: Hydrator, flatten: ReturnType<typeof createFlattener> }>}
 */
const tapes = new Map();

/** @param {2 | 3} dictionary */
function tapeOf(dictionary) {
  let tape = tapes.get(dictionary);
  if (tape === undefined) {
    const { single, double } = dictionaries[dictionary];
    // Ids as in src/binary/token_id.rs: single-byte tokens first, then 256 ids for each double-byte dictionary.
    const tokens = single.slice();
    double.forEach((dictionary, i) => dictionary.forEach((token, j) => (tokens[single.length + 256 * i + j] = token)));
    /** @type {Map<string, number>} */
    const ids = new Map();
    // If a token is listed twice, the later id is used, as in Baileys. The empty string is left out: each dialect
    // encodes it in its own way.
    tokens.forEach((token, id) => token && ids.set(token, id));
    for (const key of KEYS) if (!ids.has(key)) ids.set(key, tokens.length + KEYS.indexOf(key));
    tokens.push(...KEYS);
    tape = {
      hydrate: createHydrator(tokens),
      hydrateTape: createHydrator(tokens),
      flatten: createFlattener(scratch, ids)
    };
    tapes.set(dictionary, tape);
  }
  return tape;
}

/**
 * Returns a Buffer over the same memory.
 *
 * @param {Uint8Array} bytes
 */
function asBuffer(bytes) {
  if (Buffer.isBuffer(bytes)) return bytes;
  if (isUint8Array(bytes)) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  throw new TypeError('a Buffer or Uint8Array is required');
}

/**
 * Builds the node of a tape. `text` is the result of the addon: the text of the tape, or the signal `MORE`. The decoded
 * payload starts at `start` in `bytes`.
 *
 * @param {Hydrator} hydrate
 * @param {string | number} text
 * @param {Uint8Array} bytes
 * @param {number} start
 */
function hydrated(hydrate, text, bytes, start) {
  let { ops } = scratch;
  if (typeof text === 'string') {
    return hydrate(ops, FIRST_OP, text, ops[REG_TEXT], ops[REG_WIDE], scratch.text, 0, bytes, start, 0, 0);
  }
  const length = ops[REG_BYTES];
  scratch.fit(FIRST_OP + ops[REG_OPS], ops[REG_TEXT]);
  // If `length` is 0, all content bytes are parts of `bytes`. Otherwise the addon copies all of them to new memory.
  if (length > 0) {
    bytes = allocate(length);
    start = 0;
  }
  text = core.take(bytes, 0);
  ({ ops } = scratch);
  const node = hydrate(ops, FIRST_OP, text, ops[REG_TEXT], ops[REG_WIDE], scratch.text, 0, bytes, start, 0, 0);
  scratch.trim();
  return node;
}

/**
 * Returns the output of the addon. A negative length means that it did not fit into the slab and must be fetched.
 *
 * @param {number} length
 */
function encoded(length) {
  if (length >= 0) return cut(length);
  const out = allocate(-length);
  core.takeOutput(out, 0);
  return out;
}

/** Whether a node is being written to the scratch memory. */
let flattening = false;

/** Throws if a getter of a node calls the codec while the node is being written: there is only one scratch memory. */
function refuseWhileFlattening() {
  if (flattening) throw new Error('Invalid node: a getter of the node calls encodeBinaryNode or decodeBinaryNode');
}

/** Room in the slab before an encoding, in bytes. Almost every stanza fits. */
const USUAL_OUTPUT = 1024;

/**
 * The codec of one dialect.
 *
 * @param {Dialect} name
 */
function createCodec(name) {
  const { id: dialect, dictionary } = DIALECTS[name];
  const { hydrate, hydrateTape, flatten } = tapeOf(dictionary);
  /**
   * The constants that were checked last: callers usually pass the same object.
   *
   * @type {BinaryNodeCodingOptions | undefined}
   */
  let latestOptions;

  /**
   * Writes a node to the scratch memory and returns the text of its tape.
   *
   * @param {BinaryNode} node
   */
  function flattenNode(node) {
    refuseWhileFlattening();
    flattening = true;
    try {
      return flatten(node);
    } finally {
      flattening = false;
    }
  }

  /** @param {BinaryNode} node */
  function encodePayload(node) {
    const text = flattenNode(node);
    reserve(USUAL_OUTPUT);
    scratch.ops[REG_AT] = slab.position;
    const payload = encoded(core.encode(dialect, text, slab.buffer));
    scratch.trim();
    return payload;
  }

  /**
   * @param {number[]} [buffer] the first bytes of the result; the encoding is also appended to it
   * @param {BinaryNode} node
   * @param {BinaryNodeCodingOptions} [opts]
   */
  function encodeBinaryNode(node, opts, buffer) {
    if (opts !== undefined && opts !== latestOptions) latestOptions = checkedOptions(opts, name);
    const payload = encodePayload(node);
    if (buffer === undefined) return payload;
    for (let i = 1; i < payload.length; i++) buffer.push(payload[i]);
    return Buffer.from(buffer);
  }

  /**
   * @param {Uint8Array} buffer
   * @param {BinaryNodeCodingOptions} [opts]
   * @param {{ index: number }} [indexRef]
   */
  function decodeDecompressedBinaryNode(buffer, opts, indexRef) {
    if (opts !== undefined && opts !== latestOptions) latestOptions = checkedOptions(opts, name);
    refuseWhileFlattening();
    const from = indexRef === undefined ? 0 : indexRef.index;
    let text;
    const { ops } = scratch;
    ops[REG_AT] = from;
    ops[REG_CONSUMED] = 0;
    try {
      text = core.decode(dialect, buffer);
    } finally {
      // Also set after an error, to the position of the error.
      if (indexRef !== undefined) indexRef.index = from + ops[REG_CONSUMED];
    }
    return hydrated(hydrate, text, buffer, from);
  }

  /** @param {Uint8Array} payload */
  function decodePayload(payload) {
    refuseWhileFlattening();
    // Content bytes of an uncompressed payload are views of it, as in Baileys.
    if (payload.length > 0 && !(payload[0] & 2)) {
      scratch.ops[REG_AT] = 1;
      return hydrated(hydrate, core.decode(dialect, payload), payload, 1);
    }
    return hydrated(hydrate, core.decodePacked(dialect, payload), payload, 0);
  }

  return {
    encodeBinaryNode,
    decodeDecompressedBinaryNode,
    /** @param {Uint8Array} payload */
    decodeBinaryNode: async payload => decodePayload(asBuffer(payload)),
    decompressingIfRequired,
    /** @param {Uint8Array} payload */
    decodePayload: payload => decodePayload(asBuffer(payload)),
    flattenNode,
    hydrate,
    hydrateTape
  };
}

/** @param {Uint8Array} payload */
async function decompressingIfRequired(payload) {
  payload = asBuffer(payload);
  if (payload.length > 0 && !(payload[0] & 2)) return payload.subarray(1);
  const length = core.unpack(payload);
  const unpacked = Buffer.allocUnsafeSlow(length);
  core.takeOutput(unpacked, 0);
  return unpacked;
}

/**
 * Returns the constants (Baileys' `opts`). Throws if their tokens are not those of the dialect, because the addon uses
 * only its own tokens.
 *
 * @param {BinaryNodeCodingOptions} opts
 * @param {Dialect} name
 */
function checkedOptions(opts, name) {
  const { dictionary } = DIALECTS[name];
  const { single } = dictionaries[dictionary];
  const tokens = opts?.SINGLE_BYTE_TOKENS;
  if (
    tokens !== undefined &&
    (tokens.length !== single.length ||
      single.some((/** @type {string} */ token, /** @type {number} */ i) => token !== tokens[i]))
  ) {
    throw new TypeError(
      `opts must have the tokens of dictionary ${dictionary} (WABinary/constants of this Baileys), or be omitted`
    );
  }
  return opts;
}

module.exports = { createCodec, hydrated, encoded, refuseWhileFlattening, DIALECTS };
