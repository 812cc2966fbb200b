'use strict';

// Writes a node to a tape (src/tape/) in one pass, with the checks and messages of Baileys' encoder.

const {
  contentKind: { BYTES: KIND_BYTES, LIST: KIND_LIST, NONE: KIND_NONE, TEXT: KIND_TEXT },
  limit: { MAX_DEPTH },
  op: { HEAD_SHIFT },
  register: { BYTES: REG_BYTES, FIRST_OP, OPS: REG_OPS, TEXT: REG_TEXT },
  text: { LOOKUP_UNITS }
} = require('../../addon/abi.cjs');

/** @import { BinaryNode } from '../../../index' */

/** Enough operations for the head of a node or for one attribute. */
const HEAD_ROOM = 8;

/** The server's JID, in nearly every query: the only long token that JavaScript looks up itself. */
const SERVER = 's.whatsapp.net';

/**
 * Returns the length of a typed array. A program can give its array another `length`; the memory behind the array would
 * then be sent to the server.
 *
 * @type {(this: Uint8Array) => number}
 */
const lengthOf = /** @type {any} */ (
  Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), 'length')
).get;

/**
 * Creates the flattener of one dictionary.
 *
 * @param {{ ops: Int32Array, input: Buffer, growOps(): void, growInput(length: number): void }} scratch
 * @param {Map<string, number>} ids operations of tokens and of `KEYS`
 */
function createFlattener(scratch, ids) {
  let ops = scratch.ops;
  let limit = 0;
  let at = 0;
  let text = '';
  let bytes = 0;
  let depth = 0;

  /**
   * Writes a tag or a key. It is usually a constant of the program, so that V8 has already hashed it.
   *
   * @param {string} value
   */
  function name(value) {
    const id = ids.get(value);
    if (id !== undefined) {
      ops[at++] = id;
    } else {
      text += value;
      ops[at++] = ~value.length;
    }
  }

  /**
   * Writes another string. A long one is usually not a token and not hashed yet, so Rust looks it up.
   *
   * @param {string} value
   */
  function string(value) {
    if (value.length < LOOKUP_UNITS || value === SERVER) {
      name(value);
    } else {
      text += value;
      ops[at++] = ~value.length;
    }
  }

  function room() {
    if (at + HEAD_ROOM > limit) {
      scratch.growOps();
      ops = scratch.ops;
      limit = ops.length;
    }
  }

  /**
   * @param {string} tag
   * @param {unknown} value
   */
  function content(tag, value) {
    if (value instanceof Uint8Array) {
      const length = lengthOf.call(value);
      if (bytes + length > scratch.input.length) scratch.growInput(bytes + length);
      scratch.input.set(value, bytes);
      ops[at++] = bytes;
      ops[at++] = length;
      bytes += length;
      return KIND_BYTES;
    }
    if (typeof value === 'string') {
      string(value);
      return KIND_TEXT;
    }
    if (Array.isArray(value)) {
      const counter = at++;
      let count = 0;
      for (let i = 0; i < value.length; i++) {
        const child = value[i];
        if (child && (child.tag || typeof child === 'string' || child instanceof Uint8Array)) {
          node(child);
          count++;
        }
      }
      ops[counter] = count;
      return KIND_LIST;
    }
    throw new Error(`invalid children for header "${tag}": ${value} (${typeof value})`);
  }

  /** @param {BinaryNode} tree */
  function node({ tag, attrs, content: value }) {
    if (!tag) throw new Error('Invalid node: tag cannot be undefined');
    if (typeof tag !== 'string') throw new TypeError(`Invalid node: tag is ${typeof tag}, not a string`);
    if (++depth > MAX_DEPTH) throw new RangeError('Invalid node: nested too deeply');
    room();
    const head = at++;
    name(tag);
    let count = 0;
    if (attrs) {
      const keys = Object.keys(attrs);
      for (let i = 0; i < keys.length; i++) {
        const key = keys[i];
        const attribute = attrs[key];
        if (typeof attribute === 'string') {
          room();
          name(key);
          string(attribute);
          count++;
        } else if (attribute !== undefined && attribute !== null) {
          room();
          name(key);
          string(attributeText(tag, key, attribute));
          count++;
        }
      }
    }
    room();
    const kind = value === undefined ? KIND_NONE : content(tag, value);
    ops[head] = (count << HEAD_SHIFT) | kind;
    depth--;
  }

  /**
   * Writes a node to the scratch memory, and its lengths to the registers.
   *
   * @param {BinaryNode} tree
   * @returns {string} the text
   */
  return function flatten(tree) {
    ops = scratch.ops;
    limit = ops.length;
    at = FIRST_OP;
    text = '';
    bytes = 0;
    depth = 0;
    node(tree);
    ops[REG_OPS] = at - FIRST_OP;
    ops[REG_TEXT] = text.length;
    ops[REG_BYTES] = bytes;
    const whole = text;
    text = '';
    return whole;
  };
}

/**
 * Converts an attribute to a string. Baileys counts an attribute that is not a string but omits it: a corrupt stanza.
 *
 * @param {string} tag
 * @param {string} key
 * @param {unknown} value
 */
function attributeText(tag, key, value) {
  switch (typeof value) {
    case 'number':
    case 'bigint':
    case 'boolean':
      return String(value);
    default:
      throw new TypeError(`Invalid node: attribute "${key}" of "${tag}" is ${typeof value}, not a string`);
  }
}

module.exports = { createFlattener };
