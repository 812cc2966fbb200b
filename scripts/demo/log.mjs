// The ordered logs of a run, one line for each entry, and their comparison.

import { createHash } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';

/**
 * The only values that may differ between two runs with the same credentials. Each is replaced by its name. Everything
 * else is compared.
 */
export const RANDOM_FIELDS = {
  'query prefix': "the random prefix of Baileys' query ids; the counter after it is compared",
  now: 'attributes `t` that hold the time of the run',
  session: 'the `id` of `unified_session`, a time in milliseconds',
  'pairing ref': "the server's random text in `ref` and in the QR code",
  'device identity': 'the content of `device-identity`: a time and randomised signatures',
  'pre-key': 'the one-time pre-keys that Baileys generates after login'
};

/** @import { BinaryNode } from 'baileys' */

const QUERY_ID = /^\d{1,5}\.\d{1,5}-(\d+)$/;
const CLOCK_SLACK_S = 120;
const INLINE_BYTES = 32;
const EXCERPT_LENGTH = 160;

/**
 * @param {string} tag
 * @param {string} name
 * @param {unknown} value
 */
function attribute(tag, name, value) {
  if (typeof value !== 'string') return JSON.stringify(value);
  const query = QUERY_ID.exec(value);
  if (query) return `<query prefix>-${query[1]}`;
  if (name === 't' && Math.abs(Date.now() / 1000 - Number(value)) < CLOCK_SLACK_S) return '<now>';
  if (tag === 'unified_session' && name === 'id') return '<session>';
  return JSON.stringify(value);
}

/** @param {string[]} path Tags from the root to the node with the bytes. */
function randomContent(path) {
  const tag = path.at(-1);
  if (tag === 'ref') return '<pairing ref>';
  if (tag === 'device-identity') return '<device identity>';
  if (path.slice(-3).join('/') === 'list/key/value') return '<pre-key>';
  return undefined;
}

/** @param {Uint8Array} content */
function bytes(content) {
  if (content.length <= INLINE_BYTES) return Buffer.from(content).toString('hex');
  const digest = createHash('sha256').update(content).digest('hex').slice(0, 24);
  return `${content.length} bytes sha256:${digest}`;
}

/**
 * @param {BinaryNode} node
 * @param {string[]} path Tags from the root to this node.
 * @returns {string}
 */
function contentOf(node, path) {
  const { content } = node;
  if (content === undefined) return '';
  if (Array.isArray(content)) return `[${content.map(child => describeStanza(child, path)).join(' ')}]`;
  const random = randomContent(path);
  if (content instanceof Uint8Array) return `(${content.constructor.name} ${random ?? bytes(content)})`;
  return `(${random ?? JSON.stringify(content)})`;
}

/**
 * A stanza as one line: tags, attributes in their order, and contents. Long contents are replaced by a hash.
 *
 * @param {BinaryNode} node
 * @param {string[]} [parents]
 * @returns {string}
 */
export function describeStanza(node, parents = []) {
  const path = [...parents, node.tag];
  const attrs = Object.entries(node.attrs ?? {}).map(([name, value]) => ` ${name}=${attribute(node.tag, name, value)}`);
  return `<${node.tag}${attrs.join('')}>${contentOf(node, path)}`;
}

/** @param {string} qr */
export function describeQr(qr) {
  const start = qr.indexOf('#') + 1;
  return `${qr.slice(0, start)}<pairing ref>${qr.slice(qr.indexOf(',', start))}`;
}

/** A log in a file. In memory it would change the measured memory. */
export class LogFile {
  #file;
  /** @type {string[]} */
  #lines = [];

  /** @param {string} path */
  constructor(path) {
    this.#file = openSync(path, 'w');
  }

  /** @param {string} line */
  add(line) {
    this.#lines.push(line);
    if (this.#lines.length >= 512) this.#flush();
  }

  close() {
    this.#flush();
    closeSync(this.#file);
  }

  #flush() {
    if (this.#lines.length > 0) writeSync(this.#file, `${this.#lines.join('\n')}\n`);
    this.#lines = [];
  }
}

/**
 * The first entry in which two logs differ.
 *
 * @param {string[]} expected
 * @param {string[]} actual
 * @returns {import('./types.js').FirstDifference | undefined}
 */
export function firstDifference(expected, actual) {
  const length = Math.max(expected.length, actual.length);
  for (let index = 0; index < length; index++) {
    if (expected[index] !== actual[index]) {
      return { line: index + 1, expected: expected[index], actual: actual[index] };
    }
  }
  return undefined;
}

/**
 * The text around the first character in which two entries differ.
 *
 * @param {string} expected
 * @param {string} actual
 */
export function excerpts(expected, actual) {
  let index = 0;
  while (index < expected.length && expected[index] === actual[index]) index++;
  const start = Math.max(0, index - EXCERPT_LENGTH / 2);
  return [expected, actual].map(text => {
    const end = start + EXCERPT_LENGTH;
    return `${start > 0 ? '...' : ''}${text.slice(start, end)}${end < text.length ? '...' : ''}`;
  });
}
