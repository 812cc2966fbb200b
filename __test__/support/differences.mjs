// Every known difference between ours and Baileys. A difference that is not here fails the tests.
//
// `intended`: ours is better, for the reason given, and stays so. `open`: ours is wrong and will be changed.
//
// `applies` says whether an input can show the difference; `expected`, where there is one, what the outcome of ours then
// has to be: most often what Baileys gives for the input with the defect taken out of it or of the way.

import { inflateSync } from 'node:zlib';

import { loadLine } from './baileys-lines.mjs';
import { outcomeOf } from './values.mjs';

/** Properties in which nodes are encoded. */
const ENCODING = ['encode', 'encode-append', 'round-trip'];
const DECODING = ['decode', 'decode-compressed', 'decode-at', 'decompress'];

const INHERITED = new RegExp(Object.getOwnPropertyNames(Object.prototype).join('|'));

const nodeOf = ({ property, input }) => (property === 'encode-append' ? input.node : input);

/** Whether something in a node, the node itself included, is as the predicate says. */
function some(node, predicate) {
  if (predicate(node)) return true;
  return Array.isArray(node?.content) && Array.from(node.content).some(child => some(child, predicate));
}

const attributesOf = node => Object.values(node?.attrs ?? {});
const isScalar = value => ['number', 'boolean', 'bigint'].includes(typeof value);
const stringsOf = node => [node?.tag, node?.content, ...Object.keys(node?.attrs ?? {}), ...attributesOf(node)];

const hasInherited = context =>
  some(nodeOf(context), node => stringsOf(node).some(text => typeof text === 'string' && INHERITED.test(text)));
const hasScalar = context => some(nodeOf(context), node => attributesOf(node).some(isScalar));

/** A node with its attributes as the strings that ours writes. */
function withTexts(node) {
  if (node === null || typeof node !== 'object' || ArrayBuffer.isView(node)) return node;
  const copy = { ...node };
  if (node.attrs) {
    copy.attrs = {};
    for (const [key, value] of Object.entries(node.attrs)) {
      const text = isScalar(value) ? String(value) : value;
      Object.defineProperty(copy.attrs, key, { value: text, enumerable: true, configurable: true, writable: true });
    }
  }
  if (Array.isArray(node.content)) copy.content = node.content.map(withTexts);
  return copy;
}

/**
 * What an encoder of Baileys gives that has none of its known defects: attributes as text, tokens alone looked up, and
 * on 6.17 the checks of the later lines.
 */
async function mended(context) {
  const { property, line, input } = context;
  const { theirs } = line.name === '6.17' ? await loadLine('6.7') : line;
  const constants = { ...line.constants, TOKEN_MAP: Object.assign(Object.create(null), line.constants.TOKEN_MAP) };
  const node = withTexts(nodeOf(context));
  return outcomeOf(() => {
    if (property === 'encode') return theirs.encodeBinaryNode(node, constants);
    if (property === 'round-trip') return line.theirs.decodeBinaryNode(theirs.encodeBinaryNode(node, constants));
    const target = [...input.buffer];
    return { result: theirs.encodeBinaryNode(node, constants, target), target };
  });
}

/** All that a decoder can come to see. */
function payloadOf({ property, input }) {
  if (property === 'decode-at') return Buffer.concat([input.before, input.payload.subarray(1), input.after]);
  if (!(input instanceof Uint8Array)) return new Uint8Array();
  if (!(input[0] & 2)) return input;
  try {
    return inflateSync(input.subarray(1));
  } catch {
    return input;
  }
}

/** Whether bytes have BINARY_32 with a length of 2^31 or more in them. */
const hasNegativeLength = context => {
  const bytes = payloadOf(context);
  return bytes.some((byte, i) => byte === 254 && bytes[i + 1] >= 128);
};

const failure = (name, message) => ({
  error: { name, message, code: undefined, isBoom: undefined, statusCode: undefined }
});

/** How many nodes are within one another. */
const depthOf = node => 1 + (Array.isArray(node?.content) ? Math.max(0, ...node.content.map(depthOf)) : 0);

export const DIFFERENCES = [
  {
    id: 'lists-from-2^16',
    status: 'intended',
    reason: 'Baileys writes the size of a list modulo 2^16, so that nobody can read the stanza. Ours refuses it.',
    properties: ['encode'],
    applies: ({ input }) => some(input, node => node?.content?.length > 65_535 && Array.isArray(node.content)),
    expected: ({ input }) => failure('Error', `list too large to encode: ${input.content.length}`)
  },
  {
    id: 'depth-of-nodes',
    status: 'intended',
    reason:
      'Baileys goes as deep as its stack allows and then fails with a RangeError about it, wherever it is. Ours fails ' +
      'beyond 1,024 nodes within one another, both ways; real stanzas stay below ten.',
    properties: ['encode'],
    applies: ({ input }) => depthOf(input) > 1024,
    expected: () => failure('RangeError', 'Invalid node: nested too deeply')
  },
  {
    id: 'depth-of-nodes-read',
    status: 'intended',
    reason: 'As depth-of-nodes.',
    properties: ['decode'],
    applies: context => payloadOf(context).length > 4096,
    expected: () => failure('Error', 'nodes are nested too deeply')
  },
  {
    id: 'depth-of-jids',
    status: 'intended',
    reason: 'A JID within more than 64 JIDs is refused; Baileys goes as deep as its stack allows.',
    properties: DECODING,
    applies: context => payloadOf(context).filter(byte => [245, 246, 247, 250].includes(byte)).length > 64,
    expected: () => failure('Error', 'JIDs are nested too deeply')
  },
  {
    id: 'tags-that-are-no-text',
    status: 'intended',
    reason: 'A tag that is no string is a TypeError of its own; in Baileys it is one about its internals, or a token.',
    properties: ['encode'],
    applies: ({ input }) => input.tag && typeof input.tag !== 'string',
    expected: ({ input }) => failure('TypeError', `Invalid node: tag is ${typeof input.tag}, not a string`)
  },
  {
    id: 'attributes-that-are-objects',
    status: 'intended',
    reason: 'As attributes-that-are-no-text, where there is no sensible text.',
    properties: ['encode'],
    applies: ({ input }) =>
      attributesOf(input).some(value => value !== null && ['object', 'symbol', 'function'].includes(typeof value)),
    expected: ({ input }) => {
      const [key, value] = Object.entries(input.attrs).find(([, value]) => typeof value !== 'string');
      return failure(
        'TypeError',
        `Invalid node: attribute "${key}" of "${input.tag}" is ${typeof value}, not a string`
      );
    }
  },
  {
    id: 'input-that-is-no-buffer',
    status: 'intended',
    reason:
      'Baileys needs a Buffer, and fails with a TypeError about its own internals for anything else. Ours reads any ' +
      'Uint8Array and names what it needs.',
    properties: ['decode', 'decompress'],
    applies: ({ input }) => !Buffer.isBuffer(input),
    expected: ({ property, line, input }) =>
      input instanceof Uint8Array
        ? outcomeOf(() => {
            const buffer = Buffer.from(input);
            return property === 'decode'
              ? line.theirs.decodeBinaryNode(buffer)
              : line.theirs.decompressingIfRequired(buffer);
          })
        : failure('TypeError', 'a Buffer or Uint8Array is required')
  },
  {
    id: 'names-that-objects-inherit',
    status: 'intended',
    reason:
      'Baileys looks tokens up in an object with a prototype and so takes `constructor`, `toString` and the like for ' +
      'a token; it writes them as the empty string. Ours writes them.',
    properties: ENCODING,
    applies: hasInherited,
    expected: mended
  },
  {
    id: 'attributes-that-are-no-text',
    status: 'intended',
    reason:
      'Baileys counts an attribute that is a number, boolean or bigint but does not write it, so that nobody can read ' +
      'the stanza. Ours writes it as text; any other type is an error.',
    properties: ['encode'],
    applies: hasScalar,
    expected: mended
  },
  {
    id: 'checks-of-6.17',
    status: 'intended',
    reason:
      '6.17 neither accepts missing attributes, nor skips what is no node among the children, nor refuses a node ' +
      'without a tag: it fails with a TypeError about its own internals or writes what nobody can read. Ours checks on ' +
      'all lines as the later lines do.',
    properties: ['encode'],
    applies: ({ line, input }) =>
      line.name === '6.17' &&
      some(input, node => !node?.tag || typeof node !== 'object' || !node.attrs || ArrayBuffer.isView(node)),
    expected: mended
  },
  {
    id: 'lengths-from-2^31',
    status: 'intended',
    reason:
      'Baileys reads a 32-bit length as a signed number and goes back in its input where it is negative. To ours it is ' +
      'a length that the input does not have.',
    properties: DECODING,
    applies: context =>
      hasNegativeLength(context) &&
      (context.ours.error?.message === 'end of stream' || payloadOf(context).includes(245))
  },
  {
    id: 'words-of-zlib',
    status: 'intended',
    reason:
      'Damaged compressed data is the same error with the same code; for what its fast path finds, zlib-rs has one text.',
    properties: ['decode-compressed', 'decompress'],
    applies: ({ theirs }) => theirs.error?.code === 'Z_DATA_ERROR',
    expected: ({ theirs }) => ({ error: { ...theirs.error, message: 'repeated call with bad state' } })
  }
];
