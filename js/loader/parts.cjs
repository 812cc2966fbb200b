'use strict';

/**
 * The parts of Baileys that this package replaces. Their hashes identify a release and detect patches. A part is a file
 * below the package root, or one declaration of a file (`file#name`).
 */

const { createHash } = require('node:crypto');
const { readFileSync } = require('node:fs');
const { join } = require('node:path');
const { FILES } = require('../shared/baileys-layout.cjs');

const {
  clientTypes: CLIENT_TYPES,
  constants: TOKENS,
  decode: DECODER,
  defaults: DEFAULTS,
  encode: ENCODER,
  generics: GENERICS,
  jidUtils: JIDS,
  noiseHandler: NOISE_HANDLER,
  webSocketClient: WEBSOCKET_CLIENT
} = FILES;

/**
 * Matches the first declaration at the left margin, up to its closing bracket at the left margin.
 *
 * @param {string} start
 */
const block = start => new RegExp(`^(?:export )?${start}[^]*?^\\};?$`, 'm');

/** @type {Record<string, { file: string, pattern?: RegExp }>} */
const PARTS = {
  [WEBSOCKET_CLIENT]: { file: WEBSOCKET_CLIENT },
  [CLIENT_TYPES]: { file: CLIENT_TYPES },
  [`${DEFAULTS}#DEFAULT_ORIGIN`]: { file: DEFAULTS, pattern: /\bDEFAULT_ORIGIN = ['"].*/ },
  [NOISE_HANDLER]: { file: NOISE_HANDLER },
  [ENCODER]: { file: ENCODER },
  [DECODER]: { file: DECODER },
  [TOKENS]: { file: TOKENS },
  [`${DEFAULTS}#DICT_VERSION`]: { file: DEFAULTS, pattern: /\bDICT_VERSION = \d+/ },
  [`${JIDS}#jidEncode`]: { file: JIDS, pattern: block('const jidEncode = ') },
  [`${JIDS}#jidDecode`]: { file: JIDS, pattern: block('const jidDecode = ') },
  [`${GENERICS}#promiseTimeout`]: { file: GENERICS, pattern: block('async function promiseTimeout\\b') },
  [`${GENERICS}#delayCancellable`]: { file: GENERICS, pattern: block('const delayCancellable = ') }
};

const DECODING = [DECODER, TOKENS, `${JIDS}#jidEncode`];

/**
 * For each target (a file that can be replaced): the replaced exports, and the parts that must be unchanged for that.
 * The noise handler also needs the parts of the decoder, because it decodes nodes.
 *
 * @type {Record<string, { names: readonly string[], parts: readonly string[] }>}
 */
const TARGETS = {
  [WEBSOCKET_CLIENT]: {
    names: ['WebSocketClient'],
    parts: [WEBSOCKET_CLIENT, CLIENT_TYPES, `${DEFAULTS}#DEFAULT_ORIGIN`]
  },
  [NOISE_HANDLER]: { names: ['makeNoiseHandler'], parts: [NOISE_HANDLER, ...DECODING, `${DEFAULTS}#DICT_VERSION`] },
  [ENCODER]: { names: ['encodeBinaryNode'], parts: [ENCODER, TOKENS, `${JIDS}#jidDecode`] },
  [DECODER]: {
    names: ['decompressingIfRequired', 'decodeDecompressedBinaryNode', 'decodeBinaryNode'],
    parts: DECODING
  },
  [GENERICS]: { names: ['promiseTimeout'], parts: [`${GENERICS}#promiseTimeout`, `${GENERICS}#delayCancellable`] }
};

/** A package that has all these files is taken for Baileys. */
const ESSENTIAL = [WEBSOCKET_CLIENT, NOISE_HANDLER, ENCODER, DECODER];

/**
 * SHA-256 of the text of each part of the Baileys at `root`, in hexadecimal. Missing parts are left out.
 *
 * @param {string} root
 * @returns {Map<string, string>}
 */
function fingerprint(root) {
  const hashes = new Map();
  for (const [part, { file, pattern }] of Object.entries(PARTS)) {
    // Git on Windows may have changed the line ends.
    const text = readText(join(root, file)).replaceAll('\r\n', '\n');
    const found = pattern === undefined ? text : (pattern.exec(text)?.[0] ?? '');
    if (found !== '') hashes.set(part, createHash('sha256').update(found).digest('hex'));
  }
  return hashes;
}

/**
 * @param {string} path
 * @returns {string} empty if the file cannot be read
 */
function readText(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

module.exports = {
  DECODER,
  DEFAULTS,
  ESSENTIAL,
  NOISE_HANDLER,
  PARTS,
  TARGETS,
  GENERICS,
  WEBSOCKET_CLIENT,
  fingerprint,
  readText
};
