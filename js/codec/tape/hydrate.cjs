'use strict';

// A tape (src/tape/) into plain objects, equal to those that Baileys' decoder makes.

const {
  contentKind: { BYTES: KIND_BYTES, LIST: KIND_LIST, NONE: KIND_NONE, TEXT: KIND_TEXT },
  op: { HEAD_SHIFT },
  text: { WINDOW: TEXT_WINDOW }
} = require('../../addon/abi.cjs');

/** A view of a Buffer's memory, in half the time that `subarray` takes. */
const FastBuffer = Buffer[Symbol.species];

const KIND_MASK = (1 << HEAD_SHIFT) - 1;

/** Slots of the shape table, a power of two. A slot holds one shape; a second one for it takes the slow path. */
const SHAPE_SLOTS = 1024;
/** Key sequences seen before a constructor is generated for them, so that a peer cannot make us compile at will. */
const SHAPE_TRIALS = 2;
/** Constructors generated at most, for the same reason. */
const SHAPE_LIMIT = 512;
/** Attributes of a generated constructor at most. */
const SHAPE_KEYS = 32;

/**
 * The hydrator of one dictionary.
 *
 * @param {string[]} tokens strings by their operation: the dictionary's tokens, then the usual keys
 */
function createHydrator(tokens) {
  /** @type {Int32Array} */
  let ops = new Int32Array(0);
  /** @type {Buffer & { latin1Slice(start: number, end: number): string, ucs2Slice(start: number, end: number): string }} */
  let text = /** @type {any} */ (Buffer.alloc(0));
  /** The next operation. */
  let at = 0;
  /** The window of the text at hand, the position in it, and its end. */
  let window = '';
  let position = 0;
  let end = 0;
  /** In units: where the next window starts, and what the text ends at. */
  let next = 0;
  let total = 0;
  /** Where the text starts in its memory, in bytes, and whether it is UTF-16. */
  let textAt = 0;
  let wide = 0;
  /** @type {Buffer} What content bytes lie in, and from where on; its memory is asked for at the first of them. */
  let bytes = text;
  let bytesAt = 0;
  /** @type {ArrayBufferLike | undefined} */
  let memory;

  const shapes = new Array(SHAPE_SLOTS).fill(undefined);
  let generated = 0;
  let canGenerate = true;

  function string(op) {
    if (op >= 0) return tokens[op];
    const length = ~op;
    if (position + length > end) advance(length);
    return window.slice(position, (position += length));
  }

  /** Makes a window of its own for the strings to come: a string that is kept holds on to no more than that. */
  function advance(length) {
    const start = next - (end - position);
    const stop = Math.min(total, start + Math.max(length, TEXT_WINDOW));
    window = wide
      ? text.ucs2Slice(textAt + 2 * start, textAt + 2 * stop)
      : text.latin1Slice(textAt + start, textAt + stop);
    position = 0;
    end = stop - start;
    next = stop;
  }

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
    const attrs = {};
    for (let i = 0; i < count; i++) {
      const key = string(ops[at++]);
      attrs[key] = string(ops[at++]);
    }
    return attrs;
  }

  /** An object literal with this key sequence, so that all its objects share one hidden class from the start. */
  function generate(shape) {
    const fields = shape.keys.map((key, i) => `${JSON.stringify(tokens[key])}: string(ops[first + ${2 * i}])`);
    try {
      shape.make = new Function('string', `return (ops, first) => ({ ${fields.join(', ')} })`)(string);
      generated++;
    } catch {
      // The process runs with --disallow-code-generation-from-strings: the generic path serves.
      canGenerate = false;
    }
  }

  /** Nodes. Most lists are short; as literals they take no more memory than they need. */
  function list(length) {
    if (length === 0) return [];
    if (length === 1) return [node()];
    if (length === 2) return [node(), node()];
    const nodes = [node(), node(), node()];
    for (let i = 3; i < length; i++) nodes.push(node());
    return nodes;
  }

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
        throw new Error(`a node of the unknown kind ${head & KIND_MASK}`);
    }
    return { tag, attrs, content };
  }

  /**
   * The tree on a tape.
   *
   * @param {Int32Array} tape operations
   * @param {number} first the tape's first one
   * @param {string} whole the text, or '' where it lies in `textMemory`
   * @param {number} units the text's length then
   * @param {number} isWide whether it is UTF-16
   * @param {any} textMemory a Buffer
   * @param {number} textStart where in it, in bytes
   * @param {Buffer} content what content bytes lie in
   * @param {number} contentStart from where on
   */
  return function hydrate(tape, first, whole, units, isWide, textMemory, textStart, content, contentStart) {
    ops = tape;
    at = first;
    window = whole;
    position = 0;
    next = end = whole.length;
    total = units;
    textAt = textStart;
    wide = isWide;
    text = textMemory;
    bytes = content;
    bytesAt = contentStart;
    memory = undefined;
    const tree = node();
    window = '';
    return tree;
  };
}

module.exports = { createHydrator };
