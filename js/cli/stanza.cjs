'use strict';

/** @import { BinaryNode } from '../../index' */

// Converts stanzas to text and JSON, and JSON to stanzas.

/** The most bytes that are printed in hex. Longer contents are cut, and their length is printed. */
const SHOWN_BYTES = 32;

/**
 * JSON of a stanza on one line. Bytes have the form of Baileys' BufferJSON: `{ "type": "Buffer", "data": base64 }`.
 *
 * @param {any} node
 */
function toJson({ tag, attrs, content }) {
  /**
   * @param {unknown} value
   * @returns {unknown}
   */
  const plain = value => {
    if (Array.isArray(value)) return value.map(each => asObject(each));
    if (value instanceof Uint8Array) return { type: 'Buffer', data: Buffer.from(value).toString('base64') };
    return value;
  };
  /**
   * @param {BinaryNode} node
   * @returns {object}
   */
  const asObject = node => ({
    tag: node.tag,
    attrs: node.attrs,
    ...(node.content !== undefined && { content: plain(node.content) })
  });
  return JSON.stringify(asObject({ tag, attrs, content }));
}

/**
 * Converts a JSON value to a stanza. It may come from `toJson`, or from `JSON.stringify` of a stanza with Buffers.
 *
 * @param {any} value
 * @param {string} [path] Position in the stanza for the error message.
 * @returns {{ tag: string, attrs: Record<string, string>, content?: any }}
 */
function fromJson(value, path = 'the stanza') {
  if (value === null || typeof value !== 'object' || typeof value.tag !== 'string' || value.tag === '') {
    throw new Error(`${path} has no "tag"`);
  }
  const attrs = value.attrs ?? {};
  if (typeof attrs !== 'object' || Array.isArray(attrs)) throw new Error(`"attrs" of <${value.tag}> is not an object`);
  for (const [name, text] of Object.entries(attrs)) {
    if (typeof text !== 'string') throw new Error(`attribute "${name}" of <${value.tag}> is not a string`);
  }
  const { content } = value;
  if (content === undefined || content === null) return { tag: value.tag, attrs };
  return { tag: value.tag, attrs, content: contentFromJson(content, value.tag) };
}

/** @param {any} content @param {string} tag */
function contentFromJson(content, tag) {
  if (Array.isArray(content)) return content.map(child => fromJson(child, `a child of <${tag}>`));
  if (typeof content === 'string') return content;
  const { type, data } = content;
  if (type === 'Buffer' && typeof data === 'string') return Buffer.from(data, 'base64');
  if (type === 'Buffer' && Array.isArray(data)) return Buffer.from(data);
  throw new Error(`"content" of <${tag}> is not a list, a string or {"type":"Buffer","data":base64}`);
}

/** @param {string} text */
const escape = text =>
  JSON.stringify(text)
    .slice(1, -1)
    .replaceAll('\u007f', '\\u007f')
    .replace(/[\u0080-\u009f]/g, char => `\\u00${char.charCodeAt(0).toString(16)}`);

/**
 * A stanza as an indented tree of elements. Control characters are escaped, because they could control the terminal.
 *
 * @param {any} node
 * @param {(style: import('./terminal.cjs').Style, text: string) => string} paint
 * @param {string} [indent]
 * @returns {string}
 */
function toTree({ tag, attrs, content }, paint, indent = '') {
  const name = paint('cyan', escape(tag));
  const pairs = Object.entries(attrs ?? {}).map(
    ([key, value]) => ` ${paint('yellow', escape(key))}=${paint('green', `"${escape(String(value))}"`)}`
  );
  const open = `${indent}<${name}${pairs.join('')}`;
  if (content === undefined || content === null || content.length === 0) return `${open}/>`;
  if (Array.isArray(content)) {
    const children = content.map(child => toTree(child, paint, `${indent}  `));
    return `${open}>\n${children.join('\n')}\n${indent}</${name}>`;
  }
  if (typeof content === 'string') return `${open}>${escape(content)}</${name}>`;
  const bytes = Buffer.from(content);
  const more = bytes.length > SHOWN_BYTES ? '…' : '';
  const hex = `${bytes.subarray(0, SHOWN_BYTES).toString('hex')}${more}`;
  return `${open}>${paint('dim', `[${bytes.length} bytes] ${hex}`)}</${name}>`;
}

module.exports = { fromJson, toJson, toTree };
