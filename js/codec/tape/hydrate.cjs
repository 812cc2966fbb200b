'use strict';

// Converts a tape (src/tape/) into plain objects, equal to those of Baileys' decoder.

const {
  contentKind: { BYTES: KIND_BYTES, LIST: KIND_LIST, NONE: KIND_NONE, TEXT: KIND_TEXT },
  op: { HEAD_SHIFT },
  text: { WINDOW: TEXT_WINDOW }
} = require('../../addon/abi.cjs');
const { FastBuffer } = require('../../addon/slab.cjs');

/** @import { BinaryNode } from '../../../index' */
/** @import { TextBuffer } from '../../addon/slab.cjs' */
/** @typedef {(ops: Int32Array, first: number) => Record<string, string>} Constructor */
/** @typedef {{ keys: number[], make: Constructor | undefined, seen: number }} Shape The keys of a node by operation. */

const KIND_MASK = (1 << HEAD_SHIFT) - 1;

/** Slots of the shape table, a power of two. A slot holds one shape; other shapes of the slot use the slow path. */
const SHAPE_SLOTS = 1024;
/**
 * A constructor is generated for a key sequence that occurs more often than this: a peer must not cause much compiling.
 */
const SHAPE_TRIALS = 2;
/** The most constructors that are generated, for the same reason. */
const SHAPE_LIMIT = 512;
/** The most attributes of a generated constructor. */
const SHAPE_KEYS = 32;

/**
 * Creates the hydrator of one dictionary.
 *
 * @param {string[]} tokens strings by operation: the tokens of the dictionary, then `KEYS`
 */
function createHydrator(tokens) {
  /** @type {Int32Array} */
  let ops = new Int32Array(0);
  let text = /** @type {TextBuffer} */ (Buffer.alloc(0));
  /** The next operation. */
  let at = 0;
  /** The current window of the text, the position in it, and its length. */
  let window = '';
  let position = 0;
  let end = 0;
  /** In units of the text: where the next window starts, and where the text ends. */
  let next = 0;
  let total = 0;
  /** Where the text starts in its memory, in bytes, and 1 if it is UTF-16. */
  let textAt = 0;
  let wide = 0;
  /** The batch of the window, or 0 if other tapes must not use it, and where the window starts in the text. */
  let windowBatch = 0;
  let windowAt = 0;
  /** @type {Uint8Array} The content bytes start at `bytesAt` in it. `memory` is its ArrayBuffer, set at the first use. */
  let bytes = text;
  let bytesAt = 0;
  /** @type {ArrayBufferLike | undefined} */
  let memory;

  /** @type {(Shape | undefined)[]} */
  const shapes = new Array(SHAPE_SLOTS).fill(undefined);
  let generated = 0;
  let canGenerate = true;

  /** @param {number} op */
  function string(op) {
    if (op >= 0) return tokens[op];
    const length = ~op;
    if (position + length > end) advance(length);
    return window.slice(position, (position += length));
  }

  /**
   * Creates the next window. A string that the program keeps keeps only its window alive, not the whole text.
   *
   * @param {number} length
   */
  function advance(length) {
    const start = next - (end - position);
    const stop = Math.min(total, start + Math.max(length, TEXT_WINDOW));
    window = wide
      ? text.ucs2Slice(textAt + 2 * start, textAt + 2 * stop)
      : text.latin1Slice(textAt + start, textAt + stop);
    windowAt = textAt + start;
    position = 0;
    end = stop - start;
    next = stop;
  }

  /** @param {number} count */
  function attributes(count) {
    const hash = ops[at];
    if (hash >= 0) {
      const shape = shapes[hash & (SHAPE_SLOTS - 1)];
      if (shape !== undefined) {
        const keys = shape.keys;
        if (keys.length === count) {
          let same = true;
          for (let i = 0, op = at + 1; i < count; i++, op += 2) {
            if (ops[op] !== keys[i]) {
              same = false;
              break;
            }
          }
          if (same) {
            const make = shape.make;
            if (make !== undefined) {
              const first = at + 2;
              at = first + 2 * count - 1;
              return make(ops, first);
            }
            if (canGenerate && generated < SHAPE_LIMIT && ++shape.seen > SHAPE_TRIALS) generate(shape);
          }
        }
      } else if (generated < SHAPE_LIMIT && canGenerate && count <= SHAPE_KEYS) {
        const keys = [];
        for (let i = 0; i < count; i++) keys.push(ops[at + 1 + 2 * i]);
        shapes[hash & (SHAPE_SLOTS - 1)] = { keys, make: undefined, seen: 1 };
      }
    }
    at++;
    /** @type {Record<string, string>} */
    const attrs = {};
    for (let i = 0; i < count; i++) {
      const key = string(ops[at++]);
      attrs[key] = string(ops[at++]);
    }
    return attrs;
  }

  /**
   * Generates a constructor with an object literal: all its objects share one hidden class.
   *
   * @param {Shape} shape
   */
  function generate(shape) {
    const fields = shape.keys.map(
      (/** @type {number} */ key, /** @type {number} */ i) =>
        `${JSON.stringify(tokens[key])}: string(ops[first + ${2 * i}])`
    );
    try {
      shape.make = new Function('string', `return (ops, first) => ({ ${fields.join(', ')} })`)(string);
      generated++;
    } catch {
      // The process runs with --disallow-code-generation-from-strings: the slow path is used.
      canGenerate = false;
    }
  }

  /**
   * Builds a list of nodes. Array literals take no spare memory; most lists are short.
   *
   * @param {number} length
   * @returns {BinaryNode[]}
   */
  function list(length) {
    if (length === 0) return [];
    if (length === 1) return [node()];
    if (length === 2) return [node(), node()];
    const nodes = [node(), node(), node()];
    for (let i = 3; i < length; i++) nodes.push(node());
    return nodes;
  }

  /** @returns {BinaryNode} */
  function node() {
    const head = ops[at++];
    const tag = string(ops[at++]);
    const count = head >> HEAD_SHIFT;
    const attrs = count > 0 ? attributes(count) : {};
    let content;
    switch (head & KIND_MASK) {
      case KIND_TEXT:
        content = string(ops[at++]);
        break;
      case KIND_BYTES: {
        if (memory === undefined) {
          memory = bytes.buffer;
          bytesAt += bytes.byteOffset;
        }
        const offset = ops[at++];
        content = new FastBuffer(memory, bytesAt + offset, ops[at++]);
        break;
      }
      case KIND_LIST:
        content = list(ops[at++]);
        break;
      case KIND_NONE:
        break;
      default:
        throw new Error(`internal error of baileys-native: unknown node kind ${head & KIND_MASK}`);
    }
    return { tag, attrs, content };
  }

  /**
   * Builds the node of a tape.
   *
   * @param {Int32Array} tape operations
   * @param {number} first index of the first operation
   * @param {string} whole the text, or '' if the text is in `textMemory`
   * @param {number} units length of the text in `textMemory`
   * @param {number} isWide 1 if the text in `textMemory` is UTF-16
   * @param {Buffer} textMemory
   * @param {number} textStart position of the text in `textMemory`, in bytes
   * @param {Uint8Array} content memory of the content bytes
   * @param {number} contentStart position of the first content byte
   * @param {number} textEnd where the text of the batch ends in `textMemory`, in bytes
   * @param {number} batch number of the batch, or 0 for a tape that is not in a batch. Tapes of one batch share windows
   */
  return function hydrate(
    tape,
    first,
    whole,
    units,
    isWide,
    textMemory,
    textStart,
    content,
    contentStart,
    textEnd,
    batch
  ) {
    ops = tape;
    at = first;
    bytes = content;
    bytesAt = contentStart;
    memory = undefined;
    wide = isWide;
    text = /** @type {TextBuffer} */ (textMemory);
    if (batch === 0 || isWide === 1) {
      window = whole;
      position = 0;
      next = end = whole.length;
      total = units;
      textAt = textStart;
      windowBatch = 0;
      const tree = node();
      window = '';
      return tree;
    }
    position = textStart - windowAt;
    if (windowBatch !== batch || position < 0) {
      // The first string creates a window.
      windowBatch = batch;
      windowAt = textStart;
      position = 0;
      end = 0;
    }
    textAt = windowAt;
    next = end;
    total = textEnd - textAt;
    return node();
  };
}

module.exports = { createHydrator };
