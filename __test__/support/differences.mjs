// All known differences between this package and Baileys. Any other difference fails the tests.
//
// `intended`: a deliberate difference, with its reason. `open`: ours is wrong and will be changed.
//
// `applies` returns whether an input can show the difference. `expected`, if it exists, returns the outcome that ours
// must have: usually that of Baileys for the same input without the defect.

import { inflateSync } from 'node:zlib';

import { loadLine } from './baileys-lines.mjs';
import { driveSteps, driveStream } from './noise-properties.mjs';
import { outcomeOf } from './values.mjs';

/** Properties in which nodes are encoded. */
const ENCODING = ['encode', 'encode-append', 'round-trip'];
const DECODING = ['decode', 'decode-compressed', 'decode-at', 'decompress'];

const INHERITED = new RegExp(Object.getOwnPropertyNames(Object.prototype).join('|'));

const nodeOf = ({ property, input }) => (property === 'encode-append' ? input.node : input);

/** Whether the predicate accepts a node or one of its descendants. */
function someNode(node, predicate) {
  if (predicate(node)) return true;
  return Array.isArray(node?.content) && Array.from(node.content).some(child => someNode(child, predicate));
}

const attributesOf = node => Object.values(node?.attrs ?? {});
const isScalar = value => ['number', 'boolean', 'bigint'].includes(typeof value);
const stringsOf = node => [node?.tag, node?.content, ...Object.keys(node?.attrs ?? {}), ...attributesOf(node)];

const hasInherited = context =>
  someNode(nodeOf(context), node => stringsOf(node).some(text => typeof text === 'string' && INHERITED.test(text)));
const hasScalar = context => someNode(nodeOf(context), node => attributesOf(node).some(isScalar));

/** Converts the attributes of a node to the strings that our encoder writes. */
function withTextAttributes(node) {
  if (node === null || typeof node !== 'object' || ArrayBuffer.isView(node)) return node;
  const copy = { ...node };
  if (node.attrs) {
    copy.attrs = {};
    for (const [key, value] of Object.entries(node.attrs)) {
      const text = isScalar(value) ? String(value) : value;
      Object.defineProperty(copy.attrs, key, { value: text, enumerable: true, configurable: true, writable: true });
    }
  }
  if (Array.isArray(node.content)) copy.content = node.content.map(withTextAttributes);
  return copy;
}

/**
 * The result of Baileys' encoder without its known defects: attributes are text, only tokens are looked up, and 6.17
 * has the checks of the later release lines.
 */
async function outcomeWithoutDefects(context) {
  const { property, line, input } = context;
  const { theirs } = line.name === '6.17' ? await loadLine('6.7') : line;
  const constants = { ...line.constants, TOKEN_MAP: Object.assign(Object.create(null), line.constants.TOKEN_MAP) };
  const node = withTextAttributes(nodeOf(context));
  return outcomeOf(() => {
    if (property === 'encode') return theirs.encodeBinaryNode(node, constants);
    if (property === 'round-trip') return line.theirs.decodeBinaryNode(theirs.encodeBinaryNode(node, constants));
    const target = [...input.buffer];
    return { result: theirs.encodeBinaryNode(node, constants, target), target };
  });
}

/** The bytes that a decoder may read. */
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

/** Whether bytes can contain a BINARY_32 with a length of 2^31 or more. */
const hasNegativeLength = context => {
  const bytes = payloadOf(context);
  return bytes.some((byte, i) => byte === 254 && bytes[i + 1] >= 128);
};

const failure = (name, message, more) => ({
  error: { name, message, code: undefined, isBoom: undefined, statusCode: undefined, ...more }
});

/* -------------------------------------------------------------------------------------------------- Noise ---- */

/** A log in which a truncated authentication tag is an authentication error. */
const tagsChecked = log =>
  log.map(entry =>
    entry.error?.code === 'ERR_CRYPTO_INVALID_AUTH_TAG'
      ? { ...entry, ...failure('Error', 'Unsupported state or unable to authenticate data') }
      : entry
  );

/** The result of the handler of Baileys 7. On all release lines, our state machine is that of Baileys 7. */
async function outcomeOfBaileys7({ property, line, input }) {
  const { makeNoiseHandler } = (await loadLine('7')).theirs;
  return tagsChecked(
    property === 'noise-steps'
      ? await driveSteps(makeNoiseHandler, input)
      : await driveStream(makeNoiseHandler, line, input)
  );
}

const DAMAGE = ['decrypt-damaged', 'decrypt-short', 'damaged', 'zero', 'short', 'spurious'];
const kindsOf = ({ input }) => input.steps?.map(({ op }) => op) ?? input.frames.map(({ kind }) => kind);
const isOld = ({ line }) => line.name !== '7';

/** The error messages of ours for invalid certificate chains, by their fault. */
const CHAIN_ERRORS = {
  'wrong-root': 'noise intermediate certificate signature invalid',
  'wrong-issuer': 'certification match failed',
  'no-issuer': 'certification match failed',
  'tampered-leaf': 'noise certificate signature invalid',
  // The key of the intermediate certificate is changed, so the signature of the leaf is invalid.
  'tampered-intermediate': 'noise certificate signature invalid',
  'no-leaf': 'invalid noise leaf certificate',
  'no-leaf-details': 'invalid noise leaf certificate',
  'no-leaf-signature': 'invalid noise leaf certificate',
  'no-intermediate': 'invalid noise intermediate certificate',
  'no-intermediate-details': 'invalid noise intermediate certificate',
  'no-intermediate-signature': 'invalid noise intermediate certificate',
  'no-intermediate-key': 'noise certificate signature invalid',
  'short-signature': 'noise certificate signature invalid',
  'empty-chain': 'invalid noise leaf certificate',
  'wrong-leaf-key': "noise leaf certificate does not belong to the server's key",
  'wrong-leaf-issuer': 'noise leaf certificate has the wrong issuer'
};
const LEAF_FAULTS = ['wrong-leaf-key', 'wrong-leaf-issuer'];
const chainRefused = ({ input, theirs }) => [
  theirs[0],
  failure('Error', CHAIN_ERRORS[input.fault], { isBoom: true, statusCode: 400 })
];

/** The error messages of ours for other faults. Baileys fails too, with messages of its libraries. */
const FAULT_MESSAGES = {
  'garbage-chain': /^invalid certificate chain: /,
  'short-static': /^a public key of 31 bytes is invalid$/,
  'short-ephemeral': /^a public key of 31 bytes is invalid$/,
  'weak-ephemeral': /^the public key is invalid \(low order\)$/,
  'no-ephemeral': /^a Buffer or Uint8Array is required$/,
  'no-static': /^a Buffer or Uint8Array is required$/,
  'no-payload': /^a Buffer or Uint8Array is required$/
};

/** The depth of nested nodes. */
const depthOf = node => 1 + (Array.isArray(node?.content) ? Math.max(0, ...node.content.map(depthOf)) : 0);

export const DIFFERENCES = [
  {
    id: 'lists-from-65536',
    status: 'intended',
    reason:
      'Baileys writes the length of a list modulo 65,536, so no decoder can read the stanza. Ours throws an error.',
    properties: ['encode'],
    applies: ({ input }) => someNode(input, node => node?.content?.length > 65_535 && Array.isArray(node.content)),
    expected: ({ input }) => failure('Error', `list too large to encode: ${input.content.length}`)
  },
  {
    id: 'depth-of-nodes',
    status: 'intended',
    reason:
      'In Baileys the limit is the stack: deeper nodes cause a RangeError. Ours refuses more than 1,024 nested ' +
      'nodes, in both directions. Real stanzas have fewer than ten.',
    properties: ['encode'],
    applies: ({ input }) => depthOf(input) > 1024,
    expected: () => failure('RangeError', 'Invalid node: nested too deeply')
  },
  {
    id: 'depth-of-decoded-nodes',
    status: 'intended',
    reason: 'The same as depth-of-nodes.',
    properties: ['decode'],
    applies: context => payloadOf(context).length > 4096,
    expected: () => failure('Error', 'nodes are nested too deeply')
  },
  {
    id: 'size-of-a-stanza',
    status: 'intended',
    reason:
      'Baileys decodes a compressed stanza of any size, so a frame of 64 KiB can need gigabytes. Ours refuses more ' +
      'than 16 MiB after decompression, 1,048,576 nodes and attributes, or 16 MiB of JIDs and packed strings. Real ' +
      'stanzas have less than a twentieth of each.',
    properties: ['decode'],
    applies: context => payloadOf(context).length > 1024 * 1024,
    expected: () => failure('Error', 'too many nodes and attributes')
  },
  {
    id: 'depth-of-jids',
    status: 'intended',
    reason: 'Ours refuses more than 64 nested JIDs. In Baileys the limit is the stack.',
    properties: DECODING,
    applies: context => payloadOf(context).filter(byte => [245, 246, 247, 250].includes(byte)).length > 64,
    expected: () => failure('Error', 'JIDs are nested too deeply')
  },
  {
    id: 'tags-that-are-not-strings',
    status: 'intended',
    reason:
      'If a tag is not a string, ours throws a TypeError that says so. Baileys throws a TypeError about its ' +
      'internals, or writes a token.',
    properties: ['encode'],
    applies: ({ input }) => input.tag && typeof input.tag !== 'string',
    expected: ({ input }) => failure('TypeError', `Invalid node: tag is ${typeof input.tag}, not a string`)
  },
  {
    id: 'attributes-that-are-objects',
    status: 'intended',
    reason: 'The same as attributes-that-are-not-strings, for values that have no useful text.',
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
    id: 'input-that-is-not-a-buffer',
    status: 'intended',
    reason:
      'Baileys needs a Buffer. For any other value it throws a TypeError about its internals. Ours accepts any ' +
      'Uint8Array, and its error names the expected type.',
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
    id: 'names-of-object-prototype',
    status: 'intended',
    reason:
      'Baileys looks up tokens in an object with a prototype. It takes `constructor`, `toString` and similar names ' +
      'for tokens and writes the empty string. Ours writes the names.',
    properties: ENCODING,
    applies: hasInherited,
    expected: outcomeWithoutDefects
  },
  {
    id: 'attributes-that-are-not-strings',
    status: 'intended',
    reason:
      'If an attribute is a number, boolean or bigint, Baileys counts it but does not write it, so no decoder can ' +
      'read the stanza. Ours writes it as text. Any other type is an error.',
    properties: ['encode'],
    applies: hasScalar,
    expected: outcomeWithoutDefects
  },
  {
    id: 'checks-of-6.17',
    status: 'intended',
    reason:
      '6.17 does not accept missing attributes, does not skip children that are not nodes, and does not refuse a ' +
      'node without a tag. It throws a TypeError about its internals, or writes bytes that no decoder can read. ' +
      'Ours has the checks of the later release lines for all lines.',
    properties: ['encode'],
    applies: ({ line, input }) =>
      line.name === '6.17' &&
      someNode(input, node => !node?.tag || typeof node !== 'object' || !node.attrs || ArrayBuffer.isView(node)),
    expected: outcomeWithoutDefects
  },
  {
    id: 'lengths-from-2^31',
    status: 'intended',
    reason:
      'Baileys reads a 32-bit length as a signed number and moves back in its input if it is negative. For ours the ' +
      'input is too short.',
    properties: DECODING,
    applies: context =>
      hasNegativeLength(context) &&
      (context.ours.error?.message === 'end of stream' || payloadOf(context).includes(245))
  },
  {
    id: 'zlib-window-size',
    status: 'intended',
    reason:
      'If the header of compressed data has a smaller window than the data need, Node refuses the data or not, ' +
      'depending on the chunks of its output. zlib-rs always uses a window of 32 KB and reports the next error, if ' +
      'there is one.',
    properties: ['decode-compressed', 'decompress'],
    applies: ({ input, theirs }) =>
      theirs.error?.message === 'invalid distance too far back' && input[0] & 2 && input[1] >> 4 < 7
  },
  {
    id: 'truncated-authentication-tags',
    status: 'intended',
    reason:
      'If a ciphertext is shorter than the authentication tag of 16 bytes, Baileys uses all its bytes as the tag, ' +
      'and Node accepts tags of 4 and 8 bytes. Ours reports an authentication error.',
    properties: ['noise-steps', 'noise-stream'],
    applies: context =>
      !isOld(context) && kindsOf(context).some(kind => ['decrypt-short', 'zero', 'short'].includes(kind)),
    expected: ({ theirs }) => tagsChecked(theirs)
  },
  {
    id: 'damaged-frames-in-6.x',
    status: 'intended',
    reason:
      '6.x does not use a counter value for a frame that fails authentication, so all later frames fail too. Ours ' +
      'continues as Baileys 7 does: a damaged frame is one error.',
    properties: ['noise-steps', 'noise-stream'],
    applies: context => isOld(context) && kindsOf(context).some(kind => DAMAGE.includes(kind)),
    expected: outcomeOfBaileys7
  },
  {
    id: 'empty-frames-in-6.x',
    status: 'intended',
    reason: '6.x does not continue after a frame of length zero. Ours treats it as a frame, as Baileys 7 does.',
    properties: ['noise-stream'],
    applies: context => isOld(context) && context.input.raw.some(bytes => bytes.length === 0),
    expected: outcomeOfBaileys7
  },
  {
    id: 'keys-mixed-in-transport-in-6.x',
    status: 'intended',
    reason:
      'In 6.x mixIntoKey also changes the keys of the transport phase, in Baileys 7 only those of the handshake. It ' +
      'is never called in the transport phase. Ours is like Baileys 7.',
    properties: ['noise-steps'],
    applies: context => {
      const kinds = kindsOf(context);
      return isOld(context) && kinds.includes('finish') && kinds.lastIndexOf('mix') > kinds.indexOf('finish');
    },
    expected: outcomeOfBaileys7
  },
  {
    id: 'delayed-finishInit-in-6.x',
    status: 'intended',
    reason:
      'In 6.x finishInit takes effect one turn of the event loop after its call. A sealed frame before that time is ' +
      'delivered without decryption. In ours and in Baileys 7 it takes effect at once.',
    properties: ['noise-stream'],
    applies: context => isOld(context) && context.input.finishes === 'within',
    expected: outcomeOfBaileys7
  },
  {
    id: 'wire-order',
    status: 'intended',
    reason:
      'Baileys decompresses a stanza asynchronously and can deliver stanzas of later chunks first. Ours delivers ' +
      'stanzas in the order of the wire.',
    properties: ['noise-concurrent'],
    applies: ({ input }) => input.frames.some(({ kind }) => kind === 'compressed'),
    expected: async ({ line, input }) => {
      const { makeNoiseHandler } = (await loadLine('7')).theirs;
      const log = await driveStream(makeNoiseHandler, line, { ...input, raw: [], finishes: 'between', throws: [] });
      return log.filter(entry => 'tag' in entry);
    }
  },
  {
    id: 'certificate-signatures',
    status: 'intended',
    reason:
      'Baileys 7 calls a verification that returns false, and expects an exception. So it accepts every signature ' +
      'of 64 bytes. 6.x does not check signatures. Ours verifies both signatures for all release lines.',
    properties: ['noise-handshake'],
    applies: ({ input }) => input.fault in CHAIN_ERRORS && !LEAF_FAULTS.includes(input.fault),
    expected: chainRefused
  },
  {
    id: 'leaf-certificates',
    status: 'intended',
    reason:
      'Baileys does not compare the leaf certificate with the key of the server or with its issuer. WhatsApp Web ' +
      'does, and ours too.',
    properties: ['noise-handshake'],
    applies: ({ input }) => LEAF_FAULTS.includes(input.fault),
    expected: chainRefused
  },
  {
    id: 'error-texts-for-an-invalid-server-hello',
    status: 'intended',
    reason: 'Invalid keys, fields and protobuf messages are errors in both. Baileys has the texts of its libraries.',
    properties: ['noise-handshake'],
    applies: ({ input, theirs, ours }) =>
      theirs.at(-1).error !== undefined && FAULT_MESSAGES[input.fault]?.test(ours.at(-1).error?.message)
  }
];
